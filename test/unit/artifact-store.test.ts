import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  artifactKey,
  ArtifactStore,
  type ArtifactSource,
  type PackedForm,
} from '../../src/repository/artifact-store.js';

let store: ArtifactStore;

const SOURCE: ArtifactSource = { sha256: 'abc', onnxRuntime: '1.30.0', device: 'cpu', cpu: 'x' };
const FORM: PackedForm = {
  form: 'prepacked',
  bytes: 100,
  sourceBytes: 50,
  privateBytes: 1,
  loadBytes: 2,
  unpackedSlowdown: 1.5,
  packSeconds: 1,
};

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  store = new ArtifactStore(join(folder, 'store'));
});

async function fill(folder: string): Promise<PackedForm> {
  await writeFile(join(folder, 'model.onnx'), 'model');
  return FORM;
}

function source(sha256: string): ArtifactSource {
  return { ...SOURCE, sha256 };
}

test('an artifact is found by its key once it is made', async () => {
  expect(await store.find(artifactKey(SOURCE))).toBeUndefined();
  const made = await store.create(SOURCE, fill);
  expect(made.manifest).toMatchObject({ key: artifactKey(SOURCE), source: SOURCE, ...FORM });
  expect(await store.find(artifactKey(SOURCE))).toEqual(made);
  expect(await readdir(store.directory)).toEqual([artifactKey(SOURCE)]);
});

test('everything that an artifact depends on changes its key', () => {
  const others = [
    { sha256: 'other' },
    { onnxRuntime: '1.31.0' },
    { device: 'cuda' },
    { cpu: 'y' },
  ].map((change) => artifactKey({ ...SOURCE, ...change }));
  expect(new Set([artifactKey(SOURCE), ...others]).size).toBe(5);
});

test('a packer that fails leaves nothing', async () => {
  const failing = store.create(SOURCE, async (folder) => {
    await fill(folder);
    throw new Error('no space');
  });
  await expect(failing).rejects.toThrow('no space');
  expect(await readdir(store.directory)).toEqual([]);
});

test('of two packers of one version both get the one artifact', async () => {
  const both = await Promise.all([store.create(SOURCE, fill), store.create(SOURCE, fill)]);
  expect(both[0].modelPath).toBe(both[1].modelPath);
  expect(await readdir(store.directory)).toEqual([artifactKey(SOURCE)]);
});

test('a damaged artifact is not found, and is made again', async () => {
  const { modelPath } = await store.create(SOURCE, fill);
  await rm(modelPath);
  expect(await store.find(artifactKey(SOURCE))).toBeUndefined();
  await store.create(SOURCE, fill);
  expect(existsSync(modelPath)).toBe(true);
});

test('a manifest of another format is not found', async () => {
  const { modelPath } = await store.create(SOURCE, fill);
  await writeFile(join(modelPath, '..', 'manifest.json'), '{"format": 999}');
  expect(await store.find(artifactKey(SOURCE))).toBeUndefined();
});

test('collecting removes the longest unused beyond the bound, never what is kept', async () => {
  const keys: string[] = [];
  for (const [index, sha256] of ['a', 'b', 'c', 'd'].entries()) {
    const { modelPath, manifest } = await store.create(source(sha256), fill);
    const usedAt = new Date(1_000_000 + index * 1000);
    await utimes(join(modelPath, '..', 'manifest.json'), usedAt, usedAt);
    keys.push(manifest.key);
  }
  const [a, b, c, d] = keys as [string, string, string, string];
  expect(await store.collect({ keep: new Set([a]), maxBytes: 250 })).toBe(200);
  expect((await readdir(store.directory)).sort()).toEqual([a, d].sort());
  expect(await store.find(b)).toBeUndefined();
  expect(await store.find(c)).toBeUndefined();
  expect(await store.collect({ keep: new Set([a, d]), maxBytes: 0 })).toBe(200);
});

test('collecting removes what killed packers left, not what a living one writes', async () => {
  await mkdir(join(store.directory, '.packing-999999999-dead'), { recursive: true });
  await mkdir(join(store.directory, `.packing-${process.pid}-alive`), { recursive: true });
  await store.collect({ keep: new Set(), maxBytes: 1e9 });
  expect(await readdir(store.directory)).toEqual([`.packing-${process.pid}-alive`]);
});
