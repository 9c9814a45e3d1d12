import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, afterAll, expect, test } from 'vitest';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { CUDA_PROVIDER, readCudaProvider } from '../../src/supervisor/device/cuda-provider.js';
import { readDynamic } from '../../src/supervisor/device/elf.js';
import {
  findDriverLibrary,
  neededLibraries,
  parseLoaderCache,
  readLibrarySearch,
  type LibrarySearch,
} from '../../src/supervisor/device/shared-libraries.js';
import { makeLibrary as makeLibraryAt } from '../support/shared-library.js';

/** Libraries made with the compiler that builds the addon: a provider that needs one that needs another. */
const folder = mkdtempSync(join(tmpdir(), 'warmswap-libraries-'));
const inFolder = (name: string) => join(folder, name);
const makeLibrary = (
  name: string,
  needed: readonly string[] = [],
  flags: readonly string[] = [],
) => {
  makeLibraryAt(inFolder(name), needed.map(inFolder), flags);
};

beforeAll(() => {
  makeLibrary('libcublasLt.so.13');
  makeLibrary('libcublas.so.13', ['libcublasLt.so.13']);
  makeLibrary('libonnxruntime_providers_shared.so');
  makeLibrary(CUDA_PROVIDER, ['libcublas.so.13', 'libonnxruntime_providers_shared.so']);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const NOWHERE: LibrarySearch = { first: [], cache: new Map(), standard: [], usual: [] };
const cudaLibraries = async (search: LibrarySearch) => {
  const { libraries } = await readCudaProvider(inFolder('libonnxruntime.so.1'), search);
  return libraries?.filter(({ name }) => name.startsWith('libcu'));
};

test('the shipped ONNX Runtime needs what the loader of this host finds', async () => {
  const path = bundledLibraryPath();
  expect((await readDynamic(path)).needed).toContain('libc.so.6');
  const libraries = await neededLibraries(path, await readLibrarySearch({}));
  expect(libraries.map(({ name }) => name)).toContain('libstdc++.so.6');
  expect(libraries.filter((library) => library.path === undefined)).toEqual([]);
});

test('the run path of a library is read, and $ORIGIN stands for its folder', async () => {
  makeLibrary('libwith-path.so', ['libcublas.so.13'], ['-Wl,-rpath,$ORIGIN/cuda:/other']);
  expect(await readDynamic(inFolder('libwith-path.so'))).toMatchObject({
    runpath: ['$ORIGIN/cuda', '/other'],
  });
  mkdirSync(inFolder('cuda'));
  copyFileSync(inFolder('libcublas.so.13'), inFolder('cuda/libcublas.so.13'));
  const [library] = await neededLibraries(inFolder('libwith-path.so'), NOWHERE);
  expect(library).toEqual({ name: 'libcublas.so.13', path: inFolder('cuda/libcublas.so.13') });
});

test('what the provider needs is missing by name, but not what lies beside it as ONNX Runtime', async () => {
  expect(await cudaLibraries(NOWHERE)).toEqual([{ name: 'libcublas.so.13' }]);
  const { libraries } = await readCudaProvider(inFolder('libonnxruntime.so.1'), NOWHERE);
  expect(libraries).toContainEqual({
    name: 'libonnxruntime_providers_shared.so',
    path: inFolder('libonnxruntime_providers_shared.so'),
  });
});

test.each<[string, Partial<LibrarySearch>]>([
  ['LD_LIBRARY_PATH', { first: [folder] }],
  ["the loader's own folders", { standard: ['/nowhere', folder] }],
])('it is found in %s, with what it needs in turn', async (_, search) => {
  expect(await cudaLibraries({ ...NOWHERE, ...search })).toEqual([
    { name: 'libcublas.so.13', path: inFolder('libcublas.so.13') },
    { name: 'libcublasLt.so.13', path: inFolder('libcublasLt.so.13') },
  ]);
});

test('it is found in the cache of the loader, but not what it needs in turn', async () => {
  const cache = new Map([['libcublas.so.13', inFolder('libcublas.so.13')]]);
  expect(await cudaLibraries({ ...NOWHERE, cache })).toEqual([
    { name: 'libcublas.so.13', path: inFolder('libcublas.so.13') },
    { name: 'libcublasLt.so.13' },
  ]);
});

test('where the loader does not look it is found and said to be outside', async () => {
  const other = mkdtempSync(join(folder, 'outside-'));
  for (const name of ['libcublas.so.13', 'libcuda.so.1']) {
    copyFileSync(inFolder('libcublas.so.13'), join(other, name));
  }
  const search = { ...NOWHERE, usual: [other] };
  const outside = (name: string) => ({ name, path: join(other, name), isOutside: true });
  expect((await cudaLibraries(search))?.[0]).toEqual(outside('libcublas.so.13'));
  expect(findDriverLibrary(search)).toEqual(outside('libcuda.so.1'));
  expect(findDriverLibrary(NOWHERE)).toEqual({ name: 'libcuda.so.1' });
});

test('a provider that is not there, and one that is no library, are told apart', async () => {
  const other = mkdtempSync(join(folder, 'other-'));
  const path = join(other, CUDA_PROVIDER);
  const library = join(other, 'libonnxruntime.so.1');
  expect(await readCudaProvider(library, NOWHERE)).toEqual({ path });
  for (const [bytes, problem] of [
    ['<html>', 'the file ends too early for an ELF file'],
    ['x'.repeat(100), 'this is no 64-bit little-endian ELF file'],
    [
      Buffer.concat([Buffer.from('\x7fELF\x02\x01'), Buffer.alloc(100, 0xff)]),
      'the ELF header is damaged',
    ],
  ] as const) {
    writeFileSync(path, bytes);
    expect(await readCudaProvider(library, NOWHERE)).toEqual({ path, problem });
  }
});

test('a cache of the loader is read for one architecture', () => {
  const text =
    "3 libs found in cache `/etc/ld.so.cache'\n" +
    '\tlibcudart.so.13 (libc6,x86-64) => /cuda-13/libcudart.so.13\n' +
    '\tlibcudart.so.13 (libc6) => /cuda-32/libcudart.so.13\n' +
    '\tlibcudart.so.13 (libc6,x86-64) => /cuda-other/libcudart.so.13\n' +
    '\tld-linux.so.2 (ELF) => /lib/ld-linux.so.2\n';
  expect([...parseLoaderCache(text, 'x86-64')]).toEqual([
    ['libcudart.so.13', '/cuda-13/libcudart.so.13'],
  ]);
});
