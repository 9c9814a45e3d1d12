import type { HttpResponse } from 'uWebSockets.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BodyWriter } from '../../src/server/http/body-writer.js';

/** A connection that takes so many bytes at each attempt. */
class FakeResponse {
  room: number;
  readonly taken: number[] = [];
  #onWritable: (() => boolean) | undefined;

  constructor(room: number) {
    this.room = room;
  }

  tryEnd(piece: Uint8Array, total: number): [boolean, boolean] {
    const some = piece.subarray(0, this.room);
    this.taken.push(...some);
    return [some.length === piece.length, this.taken.length === total];
  }

  getWriteOffset(): number {
    return this.taken.length;
  }

  onWritable(handler: () => boolean): void {
    this.#onWritable = handler;
  }

  /** What the handler answers: whether all has left. */
  writable(room: number): boolean {
    this.room = room;
    return this.#onWritable?.() ?? expect.unreachable();
  }
}

function write(room: number, ...pieces: number[][]) {
  const response = new FakeResponse(room);
  const writer = new BodyWriter(
    response as unknown as HttpResponse,
    pieces.map((piece) => Uint8Array.from(piece)),
  );
  const onDone = vi.fn();
  writer.start(onDone);
  return { response, writer, onDone };
}

beforeEach(
  () => void vi.useFakeTimers({ toFake: ['performance', 'setImmediate', 'clearImmediate'] }),
);
afterEach(() => void vi.useRealTimers());

test('pieces leave behind one another, at once where there is room', () => {
  const { response, onDone } = write(10, [1, 2, 3], [], [4, 5]);
  expect(response.taken).toEqual([1, 2, 3, 4, 5]);
  expect(onDone).toHaveBeenCalledTimes(1);
});

test('what a client does not take leaves later, from where it was left', () => {
  const { response, onDone } = write(2, [1, 2, 3], [4, 5, 6]);
  expect(response.taken).toEqual([1, 2]);
  expect(response.writable(2)).toBe(false);
  expect(response.taken).toEqual([1, 2, 3, 4, 5]);
  expect(onDone).not.toHaveBeenCalled();
  expect(response.writable(2)).toBe(true);
  expect(response.taken).toEqual([1, 2, 3, 4, 5, 6]);
  expect(onDone).toHaveBeenCalledTimes(1);
});

test('a connection that ends in the turn of its answer was cut off for asking on', () => {
  expect(write(1, [1, 2]).writer.abort()).toBe(true);
});

test('one that ends later was cut off if it has taken nothing for long, else it has gone', () => {
  const { response, writer } = write(1, [1, 2, 3]);
  vi.advanceTimersByTime(4_900);
  expect(writer.abort()).toBe(false);
  response.writable(1);
  vi.advanceTimersByTime(4_900);
  expect(writer.abort()).toBe(false);
  vi.advanceTimersByTime(100);
  expect(writer.abort()).toBe(true);
});
