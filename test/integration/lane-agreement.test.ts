import { join } from 'node:path';
import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine, type EngineModel } from '../../src/native/engine.js';
import { decodeMessage } from '../../src/rpc/frames.js';
import { parseInferParams } from '../../src/rpc/params.js';
import { float32 } from '../support/raw-rpc.js';

/** Whatever the addon reads by itself, the complete decoder reads as well, and means the same. */

const FIXTURES = join(import.meta.dirname, '../../build/fixtures');
const MUTATIONS = 60_000;

let engine: Engine;
let model: EngineModel;

beforeAll(async () => {
  engine = new Engine();
  model = await engine.load({
    modelPath: join(FIXTURES, 'shift/1/model.onnx'),
    ...{ intraOpThreads: 1, runnerThreads: 1, queueCapacity: 8, priorities: 3 },
    execution: 'inline',
  });
  const route = { model: 'shift', servedVersion: 1, target: model.native };
  engine.lane.setRoutes([route, { ...route, version: 1 }, { ...route, label: 'stable' }]);
});

afterAll(async () => {
  await model.unload();
  engine.close();
});

const tensor = (values: readonly number[], shape = [1, 4]) => ({
  ...{ datatype: 'FP32', shape },
  data: float32(values),
});

const SEEDS: readonly unknown[] = [
  { model: 'shift', inputs: { x: tensor([1, 2, 3, 4]) } },
  { inputs: { x: tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]) }, model: 'shift', version: 1 },
  { model: 'shift', label: 'stable', inputs: { x: tensor([0, 0, 0, 0]) }, priority: 2 },
  { model: 'shift', inputs: { x: tensor([]), y: 1 }, outputs: ['y'], deadlineMs: 2.5 },
  {
    model: 'shift',
    inputs: { x: tensor([9, 8, 7, 6]) },
    outputs: ['y'],
    deadlineMs: 50,
    priority: 0,
    key: 'user 7',
  },
  { model: 'shift', inputs: { x: tensor([], [0, 4]) } },
];
const frames = SEEDS.map((params, msgid) => encode([0, msgid * 1000, 'infer', [params]]));

/** A small generator of whole numbers below `below`, the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

function mutate(frame: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = frame.slice();
  for (let change = random(3); change >= 0; change--) {
    const at = random(bytes.length);
    if (random(3) === 0) bytes.copyWithin(at, random(bytes.length), random(bytes.length));
    else bytes[at] = random(2) === 0 ? random(256) : (bytes[at] as number) ^ (1 << random(8));
  }
  return random(8) === 0 ? bytes.slice(0, random(bytes.length)) : bytes;
}

const toBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;

test('plain requests are accepted, and answered with their msgid', () => {
  const accepted = frames.map((frame) => engine.lane.accept(toBuffer(frame)));
  expect(accepted.map((taken) => taken?.route)).toEqual([0, 1, 2, undefined, 0, 0]);
  expect(accepted.map((taken) => taken?.msgid)).toEqual([0, 1000, 2000, undefined, 4000, 5000]);
});

test('a mutated frame that is accepted is one that the decoder accepts, with the same meaning', () => {
  const random = randomFrom(20_261_120);
  let accepted = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const frame = mutate(frames[i % frames.length] as Uint8Array, random);
    const taken = engine.lane.accept(toBuffer(frame));
    if (!taken) continue;
    accepted++;
    const message = decodeMessage(frame);
    if (message.kind !== 'request') throw new Error('no request');
    const params = parseInferParams(message.params);
    expect(params.model).toBe('shift');
    expect([message.method, message.msgid]).toEqual(['infer', taken.msgid]);
    const byVersion = params.version === 1 ? 1 : undefined;
    expect(taken.route).toBe(byVersion ?? (params.label === 'stable' ? 2 : 0));
    const answer = decodeMessage(new Uint8Array(taken.answer ?? new Uint8Array()));
    expect(answer).toMatchObject({ kind: 'response', msgid: taken.msgid, error: null });
    const x = params.inputs.x?.data as Uint8Array;
    const { outputs } = (answer as { result: { outputs: { y: { data: Uint8Array } } } }).result;
    const expected = new Float32Array(x.slice().buffer).map((value) => value + 1);
    expect(Buffer.from(outputs.y.data)).toEqual(Buffer.from(expected.buffer));
  }
  expect(accepted).toBeGreaterThan(MUTATIONS / 100);
});
