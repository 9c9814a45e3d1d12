import { toWarmswapError } from '../rpc/errors.js';
import type { NativeEvent } from './binding.js';

/** Whoever waits for a ticket. Exactly one of `resolve` and `reject` is called, once. */
export interface TicketHolder {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** The model that this ticket loads is mapped. */
  onMapped?: (() => void) | undefined;
}

/** A power of two, as it always is. */
const FIRST_PLACES = 64;

interface Held {
  readonly ticket: number;
  readonly holder: TicketHolder;
}

/**
 * Work that is out at the native side, by ticket. Bounded by the native queues. A ticket's place is its
 * lowest bits, and no ticket is given whose place is taken, so nothing is hashed and nothing allocated.
 */
export class Tickets {
  #out = 0;
  #holders: (TicketHolder | undefined)[] = places();
  /** The tickets of the holders at these places. */
  #tickets = new Float64Array(FIRST_PLACES);

  #last: number;

  /** Tickets are higher than `after`. */
  constructor(after = 0) {
    this.#last = after;
  }

  get areOut(): boolean {
    return this.#out > 0;
  }

  /** A number that no ticket has had. */
  next(): number {
    const mask = this.#holders.length - 1;
    do this.#last++;
    while (this.#holders[this.#last & mask] !== undefined);
    return this.#last;
  }

  /** `ticket` is the last one that `next` gave. */
  hold(ticket: number, holder: TicketHolder): void {
    this.#put(ticket, holder);
    if (++this.#out > this.#holders.length / 2) this.#grow();
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
      if (event.mapped) this.holder(event.ticket)?.onMapped?.();
      else if (event.error) this.return(event.ticket)?.reject(toWarmswapError(event.error));
      else this.return(event.ticket)?.resolve(event.value);
    }
  }

  holder(ticket: number): TicketHolder | undefined {
    const place = ticket & (this.#holders.length - 1);
    return this.#tickets[place] === ticket ? this.#holders[place] : undefined;
  }

  /** The holder of a ticket that has come back, who gets it no second time. */
  return(ticket: number): TicketHolder | undefined {
    const holder = this.holder(ticket);
    if (!holder) return undefined;
    this.#holders[ticket & (this.#holders.length - 1)] = undefined;
    this.#out--;
    return holder;
  }

  #put(ticket: number, holder: TicketHolder): void {
    const place = ticket & (this.#holders.length - 1);
    this.#holders[place] = holder;
    this.#tickets[place] = ticket;
  }

  /** Tickets whose places differ still do with one bit more. */
  #grow(): void {
    const held = this.#held();
    this.#holders = places(2 * this.#holders.length);
    this.#tickets = new Float64Array(this.#holders.length);
    for (const { ticket, holder } of held) this.#put(ticket, holder);
  }

  #held(): Held[] {
    return this.#holders.flatMap((holder, place) =>
      holder ? [{ ticket: this.#tickets[place] as number, holder }] : [],
    );
  }
}

function places(count = FIRST_PLACES): (TicketHolder | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
