import { describe, expect, test } from 'vitest';
import { RequestFrame } from '../../src/client/request-frame.js';
import { toRpcUrls, toSettings, type ClientOptions } from '../../src/client/options.js';
import { decodeMessage } from '../../src/rpc/frames.js';

describe('a request frame', () => {
  test.each([0, 1, 127, 65_536, 2 ** 32 - 1])('carries the msgid %i', (msgid) => {
    const frame = new RequestFrame('ping', 'value');
    expect(decodeMessage(frame.withMsgid(msgid))).toEqual({
      ...{ kind: 'request', msgid, method: 'ping', params: ['value'] },
    });
  });

  test.each([1, 0.25, 12.7, 1e9])('carries a deadline of %d ms beside its params', (deadlineMs) => {
    const frame = new RequestFrame('infer', { model: 'm' }, true);
    frame.setDeadline(deadlineMs);
    expect(decodeMessage(frame.withMsgid(7))).toMatchObject({
      params: [{ model: 'm', deadlineMs }],
    });
  });

  test('without a deadline carries none', () => {
    const frame = new RequestFrame('infer', { model: 'm' });
    frame.setDeadline(5);
    expect(decodeMessage(frame.withMsgid(7))).toMatchObject({ params: [{ model: 'm' }] });
  });

  test('is a copy of what it was made from', () => {
    const data = Uint8Array.of(1, 2);
    const frame = new RequestFrame('infer', { data });
    data.fill(9);
    const { params } = decodeMessage(frame.withMsgid(1)) as unknown as {
      params: { data: Uint8Array }[];
    };
    expect([...(params[0]?.data ?? [])]).toEqual([1, 2]);
  });

  test('of what MessagePack cannot hold is refused as INVALID_ARGUMENT', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(() => new RequestFrame('ping', circular)).toThrow(
      expect.objectContaining({
        name: 'WarmswapError',
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('the params of ping') as string,
      }),
    );
  });
});

describe('addresses', () => {
  test('get /rpc where they have no path, and are taken once', () => {
    expect(toRpcUrls(['ws://a:1', 'http://a:1/', 'wss://b/x?y', 'https://c'])).toEqual([
      ...['ws://a:1/rpc', 'wss://b/x?y', 'wss://c/rpc'],
    ]);
  });

  test.each([[[]], ['a:1'], ['file:///x'], ['']])('are not %o', (urls) => {
    expect(() => toRpcUrls(urls)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

test.each<[ClientOptions, RegExp]>([
  [{ connections: 0 }, /'connections': expected a positive integer, got 0/],
  [{ deadlineMs: -1 }, /'deadlineMs': expected milliseconds above 0/],
  [{ reconnect: { maxMs: NaN } }, /'reconnect.maxMs': .* got NaN/],
  [{ retry: { maxAttempts: 1.5 } }, /'retry.maxAttempts': .* got 1.5/],
])('the options %o are refused', (options, message) => {
  const make = () => toSettings(options, () => expect.unreachable());
  expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(make).toThrow(message);
});
