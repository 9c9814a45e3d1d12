import type { ServerResponse } from 'node:http';
import type { DaemonEvent } from '../rpc/events.js';
import { WarmswapError } from '../rpc/errors.js';
import type { EventBus } from './event-bus.js';

/** So that a connection that is gone is noticed, and one that is idle is not closed on the way. */
const HEARTBEAT_MS = 15_000;
/** A reader that is further behind is cut off. */
const MOST_BUFFERED_BYTES = 256 * 1024;
const MOST_STREAMS = 64;

/** The answer of `GET /events`: server-sent events until the reader or the daemon ends it. */
export class EventStream {
  constructor(private readonly bus: EventBus) {
    if (bus.listeners < MOST_STREAMS) return;
    const reason = `${MOST_STREAMS} readers of events are there already`;
    throw new WarmswapError('RESOURCE_EXHAUSTED', reason);
  }

  begin(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const write = (text: string) => {
      response.write(text);
      if (response.writableLength > MOST_BUFFERED_BYTES) response.destroy();
    };
    write(': events\n\n');
    const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS).unref();
    const unsubscribe = this.bus.subscribe({
      onEvent: (event) => write(toText(event)),
      onEnd: () => response.end(),
    });
    response.once('close', () => {
      clearInterval(heartbeat);
      unsubscribe();
    });
  }
}

function toText(event: DaemonEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
