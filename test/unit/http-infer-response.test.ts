import { expect, test } from 'vitest';
import {
  inferReply,
  refuseUnanswerable,
  type InferAnswer,
} from '../../src/server/http/infer-response.js';
import type { Datatype, Tensor } from '../../src/rpc/tensor.js';

const bytes = (data: number[]): Tensor => ({
  datatype: 'UINT8',
  shape: [data.length],
  data: Uint8Array.from(data),
});
const answer = (outputs: Record<string, Tensor>, names = Object.keys(outputs)): InferAnswer => ({
  model: 'm"',
  version: 3,
  names,
  outputs,
});
const request = (binary: readonly string[], id?: string) => ({
  inputs: {},
  isBinary: (name: string) => binary.includes(name),
  ...(id === undefined ? {} : { id }),
});

test('outputs are answered in their order, whatever their names', () => {
  const { body } = inferReply(
    request([], ''),
    answer({ 2: bytes([2]), 10: bytes([]) }, ['10', '2']),
  );
  expect(body).toBe(
    '{"id":"","model_name":"m\\"","model_version":"3","outputs":[' +
      '{"name":"10","datatype":"UINT8","shape":[0],"data":[]},' +
      '{"name":"2","datatype":"UINT8","shape":[1],"data":[2]}]}',
  );
});

test('binary data follow the JSON in the order of the outputs', () => {
  const texts: Tensor = { datatype: 'BYTES', shape: [2], data: ['é', Uint8Array.of(9)] };
  const reply = inferReply(
    request(['a', 'c']),
    answer({ a: bytes([1, 2]), b: bytes([3]), c: texts }),
  );
  const headers = new Map(reply.headers);
  const length = Number(headers.get('Inference-Header-Content-Length'));
  const body = Buffer.concat(reply.body as Uint8Array[]);
  expect(headers.get('Content-Type')).toBe('application/octet-stream');
  expect(JSON.parse(body.toString('utf8', 0, length))).toMatchObject({
    outputs: [
      { name: 'a', parameters: { binary_data_size: 2 } },
      { name: 'b', data: [3] },
      { name: 'c', parameters: { binary_data_size: 11 } },
    ],
  });
  expect([...body.subarray(length)]).toEqual([1, 2, 2, 0, 0, 0, 0xc3, 0xa9, 1, 0, 0, 0, 9]);
});

test('what JSON cannot hold is refused before the run, unless it goes in binary or not at all', () => {
  const outputs: { name: string; datatype: Datatype }[] = [
    { name: 'a', datatype: 'FP16' },
    { name: 'b', datatype: 'FP32' },
  ];
  expect(() => refuseUnanswerable(request([]), outputs)).toThrow("FP16 of output 'a'");
  expect(() => refuseUnanswerable(request(['a']), outputs)).not.toThrow();
  expect(() => refuseUnanswerable({ ...request([]), outputs: ['b'] }, outputs)).not.toThrow();
});
