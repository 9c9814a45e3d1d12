import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scanRepository } from '../../src/repository/scan.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warmswap-scan-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content = 'x'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const names = async () => [...(await scanRepository(root)).models.keys()];
const versionsOf = async (name: string) =>
  (await scanRepository(root)).models.get(name)?.versions.map(({ version }) => version);
const fingerprint = async () => {
  const [version] = (await scanRepository(root)).models.get('m')?.versions ?? [];
  if (!version) throw new Error('the version is not seen');
  return version.fingerprint;
};

describe('the repository', () => {
  test('that is empty has no models', async () => {
    expect(await names()).toEqual([]);
  });

  test('that is missing or no folder is refused', async () => {
    await expect(scanRepository(join(root, 'missing'))).rejects.toThrow('ENOENT');
    write('file');
    await expect(scanRepository(join(root, 'file'))).rejects.toThrow('ENOTDIR');
  });

  test('gives models in the order of their names', async () => {
    for (const name of ['b', 'a', 'C', 'a-1']) write(`${name}/1/model.onnx`);
    expect(await names()).toEqual(['C', 'a', 'a-1', 'b']);
  });

  test.each(['m', 'Model_1', 'a.b-c', '0', 'x'.repeat(128)])(
    'may have a model %s',
    async (name) => {
      write(`${name}/1/model.onnx`);
      expect(await names()).toEqual([name]);
    },
  );

  test.each(['.hidden', '.m.tmp', '_m', '-m', 'm m', 'ключ', 'x'.repeat(129)])(
    'takes no %o for a model',
    async (name) => {
      write(`${name}/1/model.onnx`);
      expect(await names()).toEqual([]);
    },
  );

  test('takes neither a file nor a folder without versions for a model', async () => {
    write('file');
    write('README.md');
    write('empty/model.yaml', 'versions: all');
    write('nested/sub/1/model.onnx');
    expect(await names()).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)(
    'keeps its other models when the folder of one cannot be read',
    async () => {
      write('closed/1/model.onnx');
      write('open/1/model.onnx');
      chmodSync(join(root, 'closed'), 0);
      const { models } = await scanRepository(root);
      chmodSync(join(root, 'closed'), 0o700);
      expect(models.get('open')?.versions).toHaveLength(1);
      expect(models.get('closed')?.config).toEqual({
        problem: expect.stringContaining('EACCES') as string,
      });
    },
  );
});

describe('the versions of a model', () => {
  test('are ascending by number, with the path of their model', async () => {
    for (const version of [10, 9, 100, 1]) write(`m/${version}/model.onnx`);
    expect(await versionsOf('m')).toEqual([1, 9, 10, 100]);
    const model = (await scanRepository(root)).models.get('m');
    expect(model?.versions[0]?.modelPath).toBe(join(root, 'm/1/model.onnx'));
    expect(model?.name).toBe('m');
  });

  test.each(['0', '01', '-1', '1.5', 'v2', '1.tmp', '.1', '1e3', '1'.repeat(16)])(
    'do not include a folder named %s',
    async (name) => {
      write('m/2/model.onnx');
      write(`m/${name}/model.onnx`);
      expect(await versionsOf('m')).toEqual([2]);
    },
  );

  test('do not include a file, but a link to a folder', async () => {
    write('m/1');
    write('elsewhere/model.onnx');
    symlinkSync(join(root, 'elsewhere'), join(root, 'm/2'));
    symlinkSync(join(root, 'nowhere'), join(root, 'm/3'));
    expect(await versionsOf('m')).toEqual([2]);
  });

  test('include one without model.onnx, so that loading it names what is missing', async () => {
    write('m/1/other.onnx');
    expect(await versionsOf('m')).toEqual([1]);
  });
});

describe('the fingerprint of a version', () => {
  beforeEach(() => {
    write('m/1/model.onnx', 'aaaa');
    write('m/1/weights/data.bin', 'bbbb');
    utimesSync(join(root, 'm/1/model.onnx'), 1_000, 1_000);
  });

  test('stays while nothing changes, though other versions come', async () => {
    const before = await fingerprint();
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    write('m/2/model.onnx');
    write('m/model.yaml', 'versions: all');
    expect(await fingerprint()).toBe(before);
  });

  const changes: [string, () => void][] = [
    ['the model is replaced by one of the same size and time', replaceKeepingTimes],
    ['the model grows in place and keeps its time', growKeepingTimes],
    ['the model is written again in place', () => write('m/1/model.onnx', 'bbbb')],
    ['external data changes', () => write('m/1/weights/data.bin', 'c')],
    ['a file is added', () => write('m/1/weights/more.bin')],
    ['a file is removed', () => rmSync(join(root, 'm/1/weights/data.bin'))],
    [
      'a file is renamed',
      () => renameSync(join(root, 'm/1/weights/data.bin'), join(root, 'm/1/weights/d.bin')),
    ],
    ['a file is touched', () => utimesSync(join(root, 'm/1/model.onnx'), 1, 1)],
  ];

  function replaceKeepingTimes(): void {
    write('new', 'cccc');
    utimesSync(join(root, 'new'), 1_000, 1_000);
    renameSync(join(root, 'new'), join(root, 'm/1/model.onnx'));
  }

  function growKeepingTimes(): void {
    write('m/1/model.onnx', 'aaaaa');
    utimesSync(join(root, 'm/1/model.onnx'), 1_000, 1_000);
  }

  test.each(changes)('is another one when %s', async (_, change) => {
    const before = await fingerprint();
    change();
    expect(await fingerprint()).not.toBe(before);
  });

  test('is the same for the same content elsewhere only if it is the same file', async () => {
    const before = await fingerprint();
    renameSync(join(root, 'm/1'), join(root, 'm/1.old'));
    write('m/1/model.onnx', 'aaaa');
    write('m/1/weights/data.bin', 'bbbb');
    expect(await fingerprint()).not.toBe(before);
    rmSync(join(root, 'm/1'), { recursive: true });
    renameSync(join(root, 'm/1.old'), join(root, 'm/1'));
    expect(await fingerprint()).toBe(before);
  });

  test('leaves out the requests for tests and warm-up, but no folder of that name deeper', async () => {
    const before = await fingerprint();
    write('m/1/golden/1.json');
    write('m/1/warmup/a/b.json');
    expect(await fingerprint()).toBe(before);
    write('m/1/weights/golden/data.bin');
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('the warm-up files of a version', () => {
  const files = async () => {
    write('m/1/model.onnx');
    return (await scanRepository(root)).models.get('m')?.versions[0]?.warmupFiles;
  };

  test('are the JSON files of its folder warmup, by name', async () => {
    for (const name of ['b.json', 'a.json', 'README.md', 'deeper/c.json']) {
      write(`m/1/warmup/${name}`);
    }
    write('m/1/golden/d.json');
    expect(await files()).toEqual([
      join(root, 'm/1/warmup/a.json'),
      join(root, 'm/1/warmup/b.json'),
    ]);
  });

  test('are told apart from its golden vectors', async () => {
    write('m/1/golden/d.json');
    write('m/1/model.onnx');
    const model = (await scanRepository(root)).models.get('m');
    expect(model?.versions).toMatchObject([
      { warmupFiles: [], goldenFiles: [join(root, 'm/1/golden/d.json')] },
    ]);
  });

  test('are none where there is no such folder', async () => {
    expect(await files()).toEqual([]);
    write('m/1/warmup');
    expect(await files()).toEqual([]);
  });

  test('are one more than a warm-up takes where there are many', async () => {
    for (let i = 0; i < 70; i++) write(`m/1/warmup/${i}.json`);
    expect(await files()).toHaveLength(65);
  });
});

describe('model.yaml', () => {
  const config = async (text?: string) => {
    write('m/1/model.onnx');
    if (text !== undefined) write('m/model.yaml', text);
    return (await scanRepository(root)).models.get('m')?.config;
  };

  test('that is missing means the defaults', async () => {
    expect(await config()).toMatchObject({ versions: 'latest', labels: {} });
  });

  test('is read', async () => {
    expect(await config('versions: all\nlabels: { a: 1 }')).toMatchObject({
      versions: 'all',
      labels: { a: 1 },
    });
  });

  test.each([
    ['lables: {}', 'model.yaml: unknown key lables (did you mean labels?)'],
    ['versions: [', 'model.yaml: '],
    ['versions: *a', 'model.yaml: Unresolved alias'],
    ['active: ${WARMSWAP_NO_SUCH_VARIABLE}', 'WARMSWAP_NO_SUCH_VARIABLE is not set'],
  ])('that holds %j is a problem of its model alone', async (text, problem) => {
    write('other/1/model.onnx');
    expect(await config(text)).toEqual({ problem: expect.stringContaining(problem) as string });
    expect((await scanRepository(root)).models.get('m')?.versions).toHaveLength(1);
    expect((await scanRepository(root)).models.get('other')?.config).toMatchObject({ labels: {} });
  });

  test('that is a folder is a problem', async () => {
    write('m/1/model.onnx');
    mkdirSync(join(root, 'm/model.yaml'));
    expect((await scanRepository(root)).models.get('m')?.config).toEqual({
      problem: expect.stringContaining('EISDIR') as string,
    });
  });
});
