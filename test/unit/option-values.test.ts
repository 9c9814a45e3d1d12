import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import {
  collectShape,
  durationMs,
  durationOrZeroMs,
  positiveInteger,
  positiveNumber,
  priority,
  serverUrl,
} from '../../src/cli/option-values.js';

test.each([
  [positiveInteger, '12', 12],
  [positiveNumber, '0.5', 0.5],
  [priority, '0', 0],
  [durationMs, '500us', 0.5],
  [durationOrZeroMs, '0s', 0],
  [durationOrZeroMs, '0', 0],
  [durationOrZeroMs, '2s', 2000],
  [serverUrl, 'ws://host:9000', 'ws://host:9000'],
  [serverUrl, 'https://host/rpc', 'https://host/rpc'],
] as [(text: string) => unknown, string, unknown][])('%o reads %s as %s', (read, text, value) => {
  expect(read(text)).toBe(value);
});

test.each([
  [positiveInteger, ['0', '-1', '1.5', '1e3', '', '99999999999999999999']],
  [positiveNumber, ['0', '0.0', '-1', '1e3', 'x', 'Infinity']],
  [priority, ['-1', '1.5', '']],
  [durationMs, ['0ms', '5', '-1s', 's']],
  [durationOrZeroMs, ['5', '00', '-0s']],
  [serverUrl, ['host', 'ftp://host', '']],
] as [(text: string) => unknown, string[]][])('%o refuses what is none', (read, texts) => {
  for (const text of texts) expect(() => read(text)).toThrow(InvalidArgumentError);
});

test('shapes are collected by name', () => {
  const shapes = collectShape('y=', collectShape('a=b=3', collectShape('x=1,512', {})));
  expect(shapes).toEqual({ x: [1, 512], 'a=b': [3], y: [] });
});

test.each(['x', '=1', 'x=1,', 'x=-1', 'x=1.5', 'x=a'])('%s is no shape', (text) => {
  expect(() => collectShape(text, {})).toThrow(InvalidArgumentError);
});
