import { describe, expect, test } from 'vitest';
import { EntryFilter, versionIn, type PackageEntry } from '../../src/cli/setup/package-contents.js';

const GIBIBYTE = 2 ** 30;
const file = (path: string, bytes = 10): PackageEntry => ({ path, kind: 'file', bytes });
const admits = (entry: PackageEntry) => new EntryFilter('a.whl').admits(entry);

test('the libraries and what tells the version are wanted, and nothing else', () => {
  const wanted = [
    'onnxruntime/capi/libonnxruntime_providers_cuda.so',
    'ai/onnxruntime/native/linux-x64/libonnxruntime_providers_shared.so',
    'lib/libonnxruntime.so.1.30.0',
    'onnxruntime-linux-x64-gpu-1.30.0/VERSION_NUMBER',
    'onnxruntime_gpu-1.30.0.dist-info/METADATA',
    'Microsoft.ML.OnnxRuntime.Gpu.Linux.nuspec',
  ];
  for (const path of wanted) expect(admits(file(path)), path).toBe(true);
  const others = [
    'lib/libonnxruntime_providers_tensorrt.so',
    'lib/libonnxruntime.so.debug',
    'numpy-2.0.dist-info/METADATA',
    'onnxruntime/__init__.py',
  ];
  for (const path of others) expect(admits(file(path)), path).toBe(false);
});

test.each([
  ['VERSION_NUMBER', '1.30.0\n', '1.30.0'],
  ['onnxruntime_gpu-1.30.0.dist-info/METADATA', 'Name: x\nVersion: 1.30.0\n', '1.30.0'],
  ['a/capi/build_and_package_info.py', "package_name = 'x'\n__version__ = '1.30.0'\n", '1.30.0'],
  ['Microsoft.ML.OnnxRuntime.Gpu.nuspec', '<id>x</id>\n<version>1.30.0</version>', '1.30.0'],
  ['VERSION_NUMBER', 'unknown', undefined],
])('%s tells the version', (path, text, version) => {
  expect(versionIn(path, text)).toBe(version);
});

test('release archives have the core under several names, and only the file counts', () => {
  expect(admits({ path: 'lib/libonnxruntime.so.1', kind: 'link', bytes: 0 })).toBe(false);
});

describe('what no package should have is refused', () => {
  test.each<[string, PackageEntry]>([
    ['a way out', file('../libonnxruntime_providers_cuda.so')],
    ['a way out in the middle', file('lib/../../etc/passwd')],
    ['a way out for others', file('lib\\..\\..\\etc\\passwd')],
    ['an absolute path', file('/etc/ld.so.preload')],
    ['a library as a link', { ...file('lib/libonnxruntime_providers_cuda.so'), kind: 'link' }],
    ['a library as a device', { ...file('lib/libonnxruntime_providers_cuda.so'), kind: 'other' }],
    ['a library of absurd size', file('libonnxruntime_providers_cuda.so', 5 * GIBIBYTE)],
    ['a text of absurd size', file('VERSION_NUMBER', 2 ** 21)],
  ])('%s', (_, entry) => {
    expect(() => admits(entry)).toThrow(
      expect.objectContaining({
        code: 'FAILED_PRECONDITION',
        message: expect.stringMatching(/^a\.whl is refused: /) as string,
      }),
    );
  });

  test('much in all', () => {
    const filter = new EntryFilter('a.jar');
    for (const folder of ['a', 'b']) {
      filter.admits(file(`${folder}/libonnxruntime_providers_cuda.so`, 3.5 * GIBIBYTE));
    }
    const third = file('c/libonnxruntime_providers_cuda.so', 3.5 * GIBIBYTE);
    expect(() => filter.admits(third)).toThrow(/^a\.jar is refused/);
  });

  test('entries without end', () => {
    const filter = new EntryFilter('a.zip');
    const fill = () => {
      for (let i = 0; i <= 100_000; i++) filter.admits(file(`other/${i}`));
    };
    expect(fill).toThrow(/^a\.zip is refused: it has more than 100000 entries/);
  });
});
