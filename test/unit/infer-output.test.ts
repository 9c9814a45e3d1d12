import { expect, test } from 'vitest';
import { answerToJson, answerToText, toSaveTargets } from '../../src/cli/infer-output.js';
import { UsageError } from '../../src/cli/usage-error.js';
import type { OutputTensor } from '../../src/client/index.js';

const answer = (outputs: Record<string, OutputTensor>) => ({
  model: 'm',
  version: 2,
  outputs,
  timing: { queueUs: 1.6, computeUs: 20.2, batchSize: 1 },
});

test.each([
  ['FP16', Uint16Array.of(0x3c00, 0xb800, 0x7e00), [1, -0.5, 'NaN']],
  ['BF16', Uint16Array.of(0x3f80, 0xff80), [1, '-Infinity']],
  ['FP32', Float32Array.of(0.5, Infinity), [0.5, 'Infinity']],
  ['INT64', BigInt64Array.of(-(2n ** 63n)), ['-9223372036854775808']],
  ['BOOL', Uint8Array.of(1, 0), [1, 0]],
  ['BYTES', [Buffer.from('ä'), Buffer.of(0xff, 0)], ['ä', { base64: '/wA=' }]],
] as const)('%s comes out as JSON without a loss', (datatype, data, values) => {
  const y = { datatype, shape: [data.length], data } as unknown as OutputTensor;
  expect(JSON.parse(answerToJson(answer({ y })))).toEqual({
    model: 'm',
    version: 2,
    outputs: { y: { datatype, shape: [data.length], data: values } },
    timing: { queueUs: 1.6, computeUs: 20.2, batchSize: 1 },
  });
});

test('people get bytes that are no UTF-8 as the JSON has them', () => {
  const data = [Buffer.from('ä'), Buffer.of(0xff, 0)];
  const text = answerToText(answer({ y: { datatype: 'BYTES', shape: [2], data } }));
  expect(text).toContain('ä, {"base64":"/wA="}');
});

test('people get a table of the first values, without digits that mean nothing', () => {
  const text = answerToText(
    answer({
      y: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.1, -2) },
      half: { datatype: 'FP16', shape: [1], data: Uint16Array.of(0x2e66) },
      many: { datatype: 'INT32', shape: [17], data: new Int32Array(17) },
    }),
  );
  expect(text.split('\n')).toEqual([
    'm version 2 (queued 2 µs, ran 20 µs)',
    '  y     FP32 [1, 2]  0.1, -2',
    '  half  FP16 [1]     0.09998',
    '  many  INT32 [17]   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, …',
  ]);
});

test('what is no output, no .npy file or has no fixed size cannot be saved', () => {
  const outputs = [
    { name: 'y', datatype: 'FP32', shape: [1] },
    { name: 't', datatype: 'BYTES', shape: [1] },
  ] as const;
  expect([...toSaveTargets(['y=a=b.npy'], outputs)]).toEqual([['y', 'a=b.npy']]);
  for (const wrong of ['z=z.npy', 'y=y.txt', 'y', 'y=', 't=t.npy']) {
    expect(() => toSaveTargets([wrong], outputs)).toThrow(UsageError);
  }
});
