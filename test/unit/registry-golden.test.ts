import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineModel, EngineRequest, EngineResult } from '../../src/native/engine.js';
import { goldenProblem } from '../../src/registry/golden.js';
import { Version } from '../../src/registry/version.js';
import { versionOptions } from '../support/version-options.js';

/** x UINT8 [?] -> y UINT8 [?] = x, z UINT8 [?] = x; fails for a row that begins with 99. */
const model = {
  signature: {
    inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1] }],
    outputs: ['y', 'z'].map((name) => ({ name, datatype: 'UINT8', shape: [-1] })),
  },
  infer({ inputs, outputs = ['y', 'z'] }: EngineRequest): Promise<EngineResult> {
    const { x } = inputs;
    if (!x || x.data[0] === 99) return Promise.reject(new Error('no such row'));
    const answers = Object.fromEntries(outputs.map((name) => [name, x]));
    const timing = { queueUs: 0, computeUs: 0, batchSize: 1 };
    return Promise.resolve({ outputs: answers, timing });
  },
} as unknown as EngineModel;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warmswap-golden-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function problemOf(...documents: unknown[]): Promise<string | undefined> {
  const goldenFiles = documents.map((document, index) => {
    const path = join(folder, `${index}.json`);
    writeFileSync(path, JSON.stringify(document));
    return path;
  });
  const options = versionOptions();
  const plan = { version: 1, modelPath: '', fingerprint: '', key: '', options, goldenFiles };
  const version = new Version('m', plan);
  version.attach(model);
  return goldenProblem(version);
}

const bytes = (...data: number[]) => ({ datatype: 'UINT8', shape: [data.length], data });
const vector = (x: unknown, y: unknown) => ({ inputs: { x }, outputs: { y } });

describe('a version', () => {
  test('that has none, or answers as they say, meets its golden vectors', async () => {
    expect(await problemOf()).toBeUndefined();
    expect(
      await problemOf(vector(bytes(1), bytes(1)), vector(bytes(2, 3), bytes(2, 3))),
    ).toBeUndefined();
  });

  test('that answers otherwise does not, and the file, output and element are named', async () => {
    const problem = await problemOf(vector(bytes(1), bytes(1)), vector(bytes(2, 3), bytes(2, 4)));
    expect(problem).toBe(`golden vector ${folder}/1.json: output 'y': element 1 is 3 instead of 4`);
  });

  test('that answers with an error does not', async () => {
    expect(await problemOf(vector(bytes(99), bytes(99)))).toBe(
      `golden vector ${folder}/0.json: the run failed: no such row`,
    );
  });
});

test.each([
  [{ inputs: { x: bytes(1) } }, 'outputs: Invalid input'],
  [{ inputs: { x: bytes(1) }, outputs: {} }, 'outputs: expected an output'],
  [{ ...vector(bytes(1), bytes(1)), tolerance: { relativ: 1 } }, 'tolerance: Unrecognized key'],
  [{ ...vector(bytes(1), bytes(1)), tolerance: { absolute: -1 } }, 'tolerance.absolute: Too small'],
  [vector(bytes(1), { ...bytes(1), shape: [2] }), "output 'y': expected 2 elements for [2], got 1"],
  [vector({ ...bytes(1), datatype: 'INT8' }, bytes(1)), "input 'x': expected UINT8 [?], got INT8"],
  [{ inputs: { x: bytes(1) }, outputs: { w: bytes(1) } }, "no output 'w'; the outputs are y, z"],
])('a golden vector that cannot be used is a problem: %#', async (document, problem) => {
  expect(await problemOf(document)).toContain(problem);
});
