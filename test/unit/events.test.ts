import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventReader, formatEvent } from '../../src/cli/event-reader.js';
import type { GenerationPlan, ModelPlan } from '../../src/registry/plan.js';
import type { DaemonEvent } from '../../src/rpc/events.js';
import { EventBus } from '../../src/supervisor/event-bus.js';
import { EventStream } from '../../src/supervisor/event-stream.js';
import { failureEvents, modelEvents } from '../../src/supervisor/model-events.js';
import { versionOptions } from '../support/version-options.js';

const SWAP: DaemonEvent = { type: 'swap', state: 'committed', generation: 3 };

describe('the bus', () => {
  test('tells every listener until it has had enough, or the bus ends', () => {
    const bus = new EventBus();
    const heard: unknown[] = [];
    const listener = (name: string) => ({
      onEvent: (event: DaemonEvent) => heard.push([name, event.type]),
      onEnd: () => heard.push([name, 'end']),
    });
    const stop = bus.subscribe(listener('a'));
    bus.subscribe(listener('b'));
    bus.publish(SWAP);
    stop();
    bus.publish(SWAP);
    bus.close();
    bus.publish(SWAP);
    bus.subscribe(listener('c'));
    expect(heard).toEqual([
      ...[
        ['a', 'swap'],
        ['b', 'swap'],
        ['b', 'swap'],
      ],
      ...[
        ['b', 'end'],
        ['c', 'end'],
      ],
    ]);
    expect(bus.listeners).toBe(0);
  });
});

/** A reader who takes nothing: what is written stays buffered. */
class StuckResponse extends EventEmitter {
  written = '';
  isEnded = false;

  writeHead(): void {}

  write(text: string): void {
    this.written += text;
  }

  get writableLength(): number {
    return this.written.length;
  }

  end(): void {
    this.isEnded = true;
    this.emit('close');
  }

  destroy(): void {
    this.end();
  }
}

describe('a stream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function open(bus: EventBus): StuckResponse {
    const response = new StuckResponse();
    new EventStream(bus).begin(response as unknown as ServerResponse);
    return response;
  }

  test('carries events, and a sign of life where there are none', () => {
    const bus = new EventBus();
    const response = open(bus);
    bus.publish(SWAP);
    expect(response.written).toBe(
      ': events\n\nevent: swap\ndata: {"type":"swap","state":"committed","generation":3}\n\n',
    );
    vi.advanceTimersByTime(15_000);
    expect(response.written.endsWith('\n\n:\n\n')).toBe(true);
    bus.close();
    expect(response.isEnded).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('cuts off a reader that is too far behind, and forgets it', () => {
    const bus = new EventBus();
    const response = open(bus);
    for (let i = 0; i < 10_000 && !response.isEnded; i++) bus.publish(SWAP);
    expect(response.isEnded).toBe(true);
    expect(response.written.length).toBeLessThan(300_000);
    expect([bus.listeners, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('is refused where there are many', () => {
    const bus = new EventBus();
    for (let i = 0; i < 64; i++) open(bus);
    expect(() => open(bus)).toThrow('64 readers of events are there already');
    bus.close();
  });
});

describe('a commit', () => {
  const options = versionOptions();
  const serving = (
    active: number,
    keys: readonly string[],
    labels: ModelPlan['labels'] = {},
  ): GenerationPlan => ({
    generation: 7,
    models: [
      {
        ...{ name: 'm', active, labels },
        versions: keys.map((key) => ({
          ...{ version: parseInt(key), modelPath: '', fingerprint: '', key, options },
        })),
      },
    ],
  });
  const told = (before: GenerationPlan, after: GenerationPlan) =>
    modelEvents(before, after).map(
      ({ state, version, label }) => `${state} ${version}${label ? ` ${label}` : ''}`,
    );
  const nothing = { generation: 1, models: [] };

  test('tells what is new, what is active, and what has gone', () => {
    expect(told(nothing, serving(1, ['1']))).toEqual(['loaded 1', 'active 1']);
    expect(told(serving(1, ['1']), serving(2, ['1', '2']))).toEqual(['loaded 2', 'active 2']);
    expect(told(serving(2, ['1', '2']), serving(2, ['2']))).toEqual(['retired 1']);
    expect(told(serving(2, ['2']), nothing)).toEqual(['retired 2']);
    expect(told(serving(1, ['1']), serving(1, ['1b']))).toEqual([
      ...['loaded 1', 'active 1', 'retired 1'],
    ]);
    expect(modelEvents(nothing, serving(1, ['1']))[0]).toEqual({
      ...{ type: 'model', state: 'loaded', model: 'm', version: 1, generation: 7 },
    });
  });

  test('tells of labels', () => {
    const [one, two] = [serving(2, ['1', '2'], { a: 1, b: 1 }), serving(2, ['1', '2'], { a: 2 })];
    expect(told(one, two)).toEqual(['labelled 2 a', 'unlabelled 1 b']);
  });

  test('that leaves a version out tells why', () => {
    const failure = { model: 'm', version: 2, key: '2', code: 'INTERNAL', reason: 'broken' };
    expect(failureEvents([failure], 8)).toEqual([
      { type: 'model', state: 'failed', model: 'm', version: 2, generation: 8, reason: 'broken' },
    ]);
  });
});

describe('ctl events', () => {
  test('makes events of pieces, wherever they are cut', () => {
    const text = `: events\n\nevent: swap\ndata: ${JSON.stringify(SWAP)}\n\n:\n\n`;
    for (const size of [1, 7, 1_000]) {
      const events: DaemonEvent[] = [];
      const reader = new EventReader((event) => events.push(event));
      for (let at = 0; at < text.length; at += size) reader.read(text.slice(at, at + size));
      expect(events).toEqual([SWAP]);
    }
    const reader = new EventReader(() => {});
    expect(() => reader.read('x'.repeat(2 ** 20 + 1))).toThrow('longer than 1 MiB');
  });

  test.each<[DaemonEvent, string]>([
    [SWAP, 'swap committed, generation 3'],
    [
      { type: 'swap', state: 'aborted', generation: 4, reason: 'too slow' },
      'swap aborted, generation 4: too slow',
    ],
    [
      { type: 'model', state: 'labelled', model: 'm', version: 2, generation: 3, label: 'canary' },
      'model m version 2 labelled canary, generation 3',
    ],
    [
      { type: 'worker', state: 'exited', worker: 0, pid: 9, generation: 3, reason: 'code 1' },
      'worker 0 pid 9 exited, generation 3: code 1',
    ],
  ])('prints %j', (event, text) => {
    expect(formatEvent(event)).toBe(text);
  });
});
