import { unpack } from 'msgpackr';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';
import { expectedOutput } from './expected-output.js';
import type { BenchModel } from './models.js';
import type { RunningServer } from './server.js';

/** Of the largest value expected: builds of ONNX Runtime and sizes of batches sum in other orders. */
const TOLERANCE = 1e-3;

interface Outputs {
  outputs: { y: { data: Buffer } };
}

/**
 * Asks once for `asked` and compares all values with what `served` gives. Throws if they differ: a
 * load generator looks at the beginnings of answers, not at what they say.
 */
export async function verifyAnswer(
  server: RunningServer,
  asked: BenchModel,
  served: BenchModel = asked,
): Promise<void> {
  const values = await askOnce(server, asked);
  const expected = await expectedOutput(served);
  const allowed = TOLERANCE * Math.max(...expected.map(Math.abs));
  const isGood =
    values.length === expected.length &&
    values.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= allowed);
  if (!isGood) throw new Error(`${server.url} does not give the values of ${served.name}`);
}

/** The values of y in the answer. */
export async function askOnce(
  { url, request }: Pick<RunningServer, 'url' | 'request'>,
  model: BenchModel,
): Promise<Float32Array> {
  const payload = await readFile(request(model).path);
  const { outputs } = url.startsWith('ws') ? await askRpc(url, payload) : await post(url, payload);
  const { data } = outputs.y;
  return new Float32Array(Uint8Array.from(data).buffer);
}

async function askRpc(url: string, payload: Buffer): Promise<Outputs> {
  const socket = new WebSocket(url);
  try {
    await once(socket, 'open');
    socket.send(payload);
    const [frame] = (await once(socket, 'message')) as [Buffer];
    const [, , error, result] = unpack(frame) as [number, number, unknown, Outputs];
    if (error !== null) throw new Error(`${url} answered ${JSON.stringify(error)}`);
    return result;
  } finally {
    socket.terminate();
  }
}

async function post(url: string, body: Buffer): Promise<Outputs> {
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await fetch(url, { method: 'POST', headers, body: Uint8Array.from(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return unpack(new Uint8Array(await response.arrayBuffer())) as Outputs;
}
