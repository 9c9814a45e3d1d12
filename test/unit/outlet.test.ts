import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WebSocket } from 'uWebSockets.js';
import { FRAGMENT_BYTES, Outlet } from '../../src/server/outlet.js';

/** Buffers everything until the test takes it. */
class FakeSocket {
  readonly sent: [kind: string, first: number, bytes: number][] = [];
  buffered = 0;
  ended: [number, string] | undefined;
  isClosed = false;

  send = (frame: Uint8Array) => this.#add('whole', frame);
  sendFirstFragment = (frame: Uint8Array) => this.#add('first', frame);
  sendFragment = (frame: Uint8Array) => this.#add('next', frame);
  sendLastFragment = (frame: Uint8Array) => this.#add('last', frame);
  getBufferedAmount = () => this.buffered;
  end = (code: number, reason: Buffer) => void (this.ended = [code, reason.toString()]);
  close = () => void (this.isClosed = true);

  #add(kind: string, frame: Uint8Array): number {
    this.sent.push([kind, frame[0] as number, frame.length]);
    this.buffered += frame.length;
    return 0;
  }
}

const MEBIBYTE = 2 ** 20;
let socket: FakeSocket;
let slow: number;

beforeEach(() => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  slow = 0;
});
afterEach(() => vi.useRealTimers());

function outlet(maxBufferedBytes = 64 * MEBIBYTE): Outlet {
  const onSlowReader = () => {
    slow++;
  };
  return new Outlet(socket as unknown as WebSocket<unknown>, { maxBufferedBytes, onSlowReader });
}

function frame(first: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(first);
}

function drain(from: Outlet): void {
  from.onDrain();
  vi.advanceTimersByTime(0);
}

function readAll(from: Outlet): void {
  while (socket.buffered > 0) {
    socket.buffered = 0;
    drain(from);
  }
}

test('a long frame leaves as fragments, each when there is room, and what is sent meanwhile after it', () => {
  const out = outlet();
  out.send(frame(1, MEBIBYTE + 1));
  expect(socket.sent).toEqual([['first', 1, FRAGMENT_BYTES]]);
  out.send(frame(2, 10));
  expect(socket.sent).toHaveLength(1);
  expect(out.bufferedBytes).toBe(MEBIBYTE + 1 + 10);
  readAll(out);
  expect(socket.sent.slice(1)).toEqual([
    ['next', 1, FRAGMENT_BYTES],
    ['next', 1, FRAGMENT_BYTES],
    ['next', 1, FRAGMENT_BYTES],
    ['last', 1, 1],
    ['whole', 2, 10],
  ]);
  expect(out.bufferedBytes).toBe(0);
});

test('a frame in pieces leaves as one message, the pieces behind one another', () => {
  const out = outlet();
  out.send([frame(1, 10), frame(2, FRAGMENT_BYTES + 1), frame(3, 5), frame(4, 0), frame(5, 6)]);
  out.send(frame(6, 1));
  readAll(out);
  expect(socket.sent.map(([kind, , bytes]) => [kind, bytes])).toEqual([
    ['first', 10],
    ['next', FRAGMENT_BYTES],
    ['next', 1],
    ['next', 5],
    ['next', 0],
    ['last', 6],
    ['whole', 1],
  ]);
  expect(out.bufferedBytes).toBe(0);
});

test('one piece alone is a whole message, if it is short', () => {
  const out = outlet();
  out.send([frame(1, 10)]);
  out.send([frame(2, MEBIBYTE + 1)]);
  readAll(out);
  expect(socket.sent.map(([kind]) => kind)).toEqual([
    ...['whole', 'first', 'next', 'next', 'next', 'last'],
  ]);
});

test('a lent frame that waits is copied', () => {
  const out = outlet();
  out.send(frame(1, MEBIBYTE + 1));
  const lent = frame(2, 10);
  out.send(lent, true);
  lent.fill(9);
  readAll(out);
  expect(socket.sent.at(-1)).toEqual(['whole', 2, 10]);
});

test('a frame may be longer than the bound, but nothing follows one that is not taken', () => {
  const out = outlet(100);
  out.send(frame(1, 1000));
  expect([out.isCutOff, slow]).toEqual([false, 0]);
  out.send(frame(2, 1));
  expect([out.isCutOff, slow]).toEqual([true, 1]);
  out.send(frame(3, 1));
  expect([socket.sent.length, slow]).toEqual([1, 1]);
});

test('what waits counts, and is dropped when the reader is cut off', () => {
  const out = outlet(2 * MEBIBYTE);
  out.send(frame(1, 2 * MEBIBYTE));
  out.send(frame(2, MEBIBYTE));
  out.send(frame(3, 1));
  expect(out.isCutOff).toBe(true);
  expect(out.bufferedBytes).toBe(FRAGMENT_BYTES);
});

test('a reader that is cut off gets 1013 once it has taken the rest', () => {
  const out = outlet(100);
  out.send(frame(1, 1000));
  out.send(frame(2, 1));
  socket.buffered = 10;
  drain(out);
  expect(socket.ended).toBeUndefined();
  socket.buffered = 0;
  drain(out);
  expect(socket.ended).toEqual([1013, 'too slow a reader']);
  out.onClose();
  vi.advanceTimersByTime(60_000);
  expect(socket.isClosed).toBe(false);
});

test('a reader that takes nothing is closed soon', () => {
  const out = outlet(100);
  out.send(frame(1, 1000));
  out.send(frame(2, 1));
  vi.advanceTimersByTime(60_000);
  expect(socket.isClosed).toBe(true);
});

test('what others put into the buffer counts too', () => {
  const out = outlet(100);
  socket.buffered = 100;
  out.checkReader();
  expect(out.isCutOff).toBe(false);
  socket.buffered = 101;
  out.checkReader();
  out.checkReader();
  expect([out.isCutOff, slow]).toEqual([true, 1]);
});

test('nothing is sent once the socket is closed', () => {
  const out = outlet();
  out.send(frame(1, MEBIBYTE + 1));
  out.onClose();
  out.send(frame(2, 1));
  drain(out);
  out.end(1000, '');
  expect([socket.sent.length, socket.ended, out.bufferedBytes]).toEqual([1, undefined, 0]);
});
