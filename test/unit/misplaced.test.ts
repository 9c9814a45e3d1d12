import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findMisplaced } from '../../src/repository/misplaced.js';

/** A folder with empty files at these paths. */
function folderWith(paths: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'warmswap-misplaced-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
  return folder;
}

test('what is published, being published or no model is not misplaced', async () => {
  const folder = folderWith([
    ...['a/1/model.onnx', 'a/model.yaml', 'a/1/golden/a.json', 'README.md', 'tools/make.py'],
    ...['a/.2/model.onnx', 'a/2.tmp/model.onnx', '.b/model.onnx', 'c.tmp/1/model.onnx'],
  ]);
  expect(await findMisplaced(folder)).toEqual([]);
});

test.each([
  ['top.onnx', 'top.onnx: expected <model>/<version>/model.onnx'],
  ['flat/model.onnx', 'flat/model.onnx: expected flat/1/model.onnx, with any version for 1'],
  ['named/v1/model.onnx', 'named/v1: a version is a positive integer'],
  ['named/0/model.onnx', 'named/0: a version is a positive integer'],
  ['bad name/1/model.onnx', "bad name/1: a model's name has letters"],
])('%s is', async (path, expected) => {
  const found = await findMisplaced(folderWith(['good/1/model.onnx', path]));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(expected);
});

test('at most 20 are named', async () => {
  const folder = folderWith(Array.from({ length: 30 }, (_, i) => `m${i}/model.onnx`));
  expect(await findMisplaced(folder)).toHaveLength(20);
});

test('a folder that cannot be read has none', async () => {
  expect(await findMisplaced('/nowhere/at/all')).toEqual([]);
});
