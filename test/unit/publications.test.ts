import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publicationFolders, publicationsDigest } from '../../src/repository/publications.js';
import { scanRepository } from '../../src/repository/scan.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warmswap-publications-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const digest = async () => publicationsDigest(await scanRepository(root));

test('a version is published when its model.onnx is there, and again when that changes', async () => {
  write('m/1/model.onnx');
  const first = await digest();
  write('m/2/weights.bin');
  expect(await digest()).toBe(first);
  write('m/2/model.onnx', 'half');
  const half = await digest();
  expect(half).not.toBe(first);
  write('m/2/model.onnx', 'whole');
  expect(await digest()).not.toBe(half);
});

test('model.yaml counts as well, requests and temporary names do not', async () => {
  write('m/1/model.onnx');
  const first = await digest();
  write('m/1/golden/a.json');
  write('m/.2/model.onnx');
  write('m/2.tmp/model.onnx');
  write('.n/1/model.onnx');
  write('n.tmp/1/model.onnx');
  expect(await digest()).toBe(first);
  write('m/model.yaml', 'versions: all');
  expect(await digest()).not.toBe(first);
});

test('the folders are those in which a publication shows', async () => {
  write('m/1/model.onnx');
  write('m/1/golden/a.json');
  mkdirSync(join(root, 'new'));
  write('.building/1/model.onnx');
  const folders = ['', 'm', 'm/1', 'new'].map((path) => join(root, path).replace(/\/$/, ''));
  expect(await publicationFolders(root, 10)).toEqual(folders);
  expect(await publicationFolders(root, 2)).toEqual(folders.slice(0, 2));
  renameSync(join(root, '.building'), join(root, 'built'));
  expect(await publicationFolders(root, 10)).toContain(join(root, 'built/1'));
});
