import { toWarmswapError } from '../rpc/errors.js';
import type { NativeEvent } from './binding.js';

/** Whoever waits for a ticket. Exactly one of `resolve` and `reject` is called, once. */
export interface TicketHolder {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** The model that this ticket loads is mapped. */
  onMapped?: (() => void) | undefined;
}

/** Work that is out at the native side, by ticket. Bounded by the native queues. */
export class Tickets {
  #last = 0;
  readonly #holders = new Map<number, TicketHolder>();

  get areOut(): boolean {
    return this.#holders.size > 0;
  }

  /** A number that no ticket has had. */
  next(): number {
    return ++this.#last;
  }

  hold(ticket: number, holder: TicketHolder): void {
    this.#holders.set(ticket, holder);
  }

  /** `send` hands the ticket out; what it throws rejects the promise. */
  take<T extends NativeEvent['value']>(
    send: (ticket: number) => void,
    onMapped?: () => void,
  ): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const ticket = this.next();
      try {
        send(ticket);
        this.hold(ticket, { resolve, reject, onMapped });
      } catch (error) {
        reject(toWarmswapError(error));
      }
    }) as Promise<T>;
  }

  settle(events: readonly NativeEvent[]): void {
    for (const event of events) {
      if (event.mapped) this.#holders.get(event.ticket)?.onMapped?.();
      else if (event.error) this.return(event.ticket)?.reject(toWarmswapError(event.error));
      else this.return(event.ticket)?.resolve(event.value);
    }
  }

  holder(ticket: number): TicketHolder | undefined {
    return this.#holders.get(ticket);
  }

  /** The holder of a ticket that has come back, who gets it no second time. */
  return(ticket: number): TicketHolder | undefined {
    const holder = this.#holders.get(ticket);
    this.#holders.delete(ticket);
    return holder;
  }
}
