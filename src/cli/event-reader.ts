import type { DaemonEvent } from '../rpc/events.js';

/** Makes events of server-sent text that comes in pieces. An event has at most 1 MiB. */
export class EventReader {
  #rest = '';

  constructor(private readonly onEvent: (event: DaemonEvent) => void) {}

  /** Throws if this is no stream of a daemon. */
  read(piece: string): void {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > MOST_CHARACTERS) throw new Error('an event is longer than 1 MiB');
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) this.onEvent(JSON.parse(data.slice(6)) as DaemonEvent);
    }
  }
}

const MOST_CHARACTERS = 2 ** 20;

/** For example `model shift version 2 active, generation 3`. */
export function formatEvent(event: DaemonEvent): string {
  const reason = 'reason' in event ? `: ${event.reason}` : '';
  return `${subject(event)}, generation ${event.generation}${reason}`;
}

function subject(event: DaemonEvent): string {
  switch (event.type) {
    case 'swap':
      return `swap ${event.state}`;
    case 'model': {
      const label = event.label === undefined ? '' : ` ${event.label}`;
      return `model ${event.model} version ${event.version} ${event.state}${label}`;
    }
    case 'worker':
      return `worker ${event.worker} pid ${event.pid} ${event.state}`;
  }
}
