import { existsSync } from 'node:fs';
import {
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { describe, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { runCli, type CliResult } from '../support/cli.js';
import { testRepository } from '../support/daemon.js';
import {
  CORE,
  CUDA,
  MISSING_LIBRARY,
  SHARED,
  writeMetadata,
  writeOtherCore,
  writeProviders,
} from '../support/made-up-package.js';
import { renameInArchive, writeZip } from '../support/zip-file.js';

/** Everything lies in one folder: an ONNX Runtime to install beside, and what is installed from. */
interface Host {
  path: string;
  /** Where ONNX Runtime lies. */
  beside: string;
  /** Providers, from which packages are made. */
  providers: string;
  setup(from: string, ...flags: readonly string[]): Promise<CliResult>;
  installed(): Promise<string[]>;
}

async function host({ isWhole = false } = {}): Promise<Host> {
  const { path } = await testRepository();
  const [beside, providers] = [join(path, '.ort'), join(path, '.providers')];
  await mkdir(beside);
  await cp(bundledLibraryPath(), join(beside, 'libonnxruntime.so.1'));
  const config = join(path, 'warmswap.yaml');
  await writeFile(config, 'ortLibrary: .ort/libonnxruntime.so.1\n');
  writeProviders(providers, { isWhole });
  return {
    ...{ path, beside, providers },
    setup: (from, ...flags) =>
      runCli(['setup', 'cuda', '--config', config, '--from', from, ...flags]),
    installed: async () => (await readdir(beside)).filter((name) => !name.endsWith('.so.1')).sort(),
  };
}

const shippedVersion = async () => {
  const path = join(dirname(bundledLibraryPath()), '../../../../package.json');
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
};

/** Each makes a package of the version in use, and gives its path. */
const FORMS: Readonly<Record<string, (host: Host) => Promise<string>>> = {
  'a wheel': async ({ path, providers }) => {
    const version = await shippedVersion();
    writeMetadata(path, version);
    const metadata = `onnxruntime_gpu-${version}.dist-info/METADATA`;
    return writeZip(join(path, 'onnxruntime_gpu.whl'), {
      [metadata]: join(path, metadata),
      [`onnxruntime/capi/${SHARED}`]: join(providers, SHARED),
      [`onnxruntime/capi/${CUDA}`]: join(providers, CUDA),
    });
  },
  'a jar with its own core, for several platforms': ({ path, providers, beside }) =>
    writeZip(
      join(path, 'onnxruntime_gpu.jar'),
      Object.fromEntries(
        ['linux-x64', 'linux-aarch64'].flatMap((platform) => {
          const folder = `ai/onnxruntime/native/${platform}`;
          return [
            [`${folder}/libonnxruntime.so`, join(beside, 'libonnxruntime.so.1')],
            [`${folder}/${SHARED}`, join(providers, SHARED)],
            [`${folder}/${CUDA}`, join(providers, CUDA)],
          ];
        }),
      ),
    ),
  "NuGet's package": async ({ path, providers }) => {
    const spec = join(path, 'onnxruntime.nuspec');
    await writeFile(spec, `<package><version>${await shippedVersion()}</version></package>`);
    const folder = 'runtimes/linux-x64/native';
    return writeZip(join(path, 'onnxruntime.nupkg'), {
      'Microsoft.ML.OnnxRuntime.Gpu.Linux.nuspec': spec,
      [`${folder}/${SHARED}`]: join(providers, SHARED),
      [`${folder}/${CUDA}`]: join(providers, CUDA),
    });
  },
  'a release archive': async (given) => {
    const folder = await releaseFolder(given);
    const file = join(given.path, 'onnxruntime.tgz');
    await create({ file, cwd: given.path, gzip: true }, [folder.slice(given.path.length + 1)]);
    return file;
  },
  'a folder': releaseFolder,
};

/** As the project's releases have it: the core under one name, and links to it. */
async function releaseFolder({ path, providers, beside }: Host): Promise<string> {
  const folder = join(path, 'onnxruntime-linux-gpu');
  await cp(providers, join(folder, 'lib'), { recursive: true });
  await link(join(beside, 'libonnxruntime.so.1'), join(folder, 'lib', 'libonnxruntime.so.1.0'));
  await symlink('libonnxruntime.so.1.0', join(folder, 'lib', 'libonnxruntime.so.1'));
  await writeFile(join(folder, 'VERSION_NUMBER'), `${await shippedVersion()}\n`);
  return folder;
}

const refused = (code: string) => ({
  code: 1,
  output: expect.stringContaining(`warmswap: ${code}: `) as string,
});

describe('the provider is installed beside ONNX Runtime from', () => {
  test.each(Object.keys(FORMS))('%s', async (form) => {
    const given = await host();
    const source = await FORMS[form]?.(given);
    const { code, output } = await given.setup(source ?? '');
    expect(output).toContain(`is installed in ${given.beside}\n`);
    expect(output).toMatch(new RegExp(`^warn +${MISSING_LIBRARY} +missing$`, 'm'));
    expect(code).toBe(1);
    expect(await given.installed()).toEqual([CUDA, SHARED]);
    for (const name of [CUDA, SHARED]) {
      const original = await readFile(join(given.providers, name));
      expect((await readFile(join(given.beside, name))).equals(original)).toBe(true);
    }
  });
});

test('where nothing is missing the exit code is 0, and programs get JSON', async () => {
  const given = await host({ isWhole: true });
  const { code, output } = await given.setup(await releaseFolder(given), '--json');
  expect(JSON.parse(output)).toMatchObject({
    ...{ version: await shippedVersion(), folder: given.beside, isOther: false, status: 'ok' },
    checks: expect.arrayContaining([
      { name: 'CUDA provider', status: 'ok', found: join(given.beside, CUDA) },
    ]) as unknown,
  });
  expect(code).toBe(0);
});

test('a second package takes the place of the first', async () => {
  const given = await host();
  const folder = await releaseFolder(given);
  await given.setup(folder);
  writeProviders(join(folder, 'lib'), { isWhole: true });
  expect((await given.setup(folder)).code).toBe(0);
  expect(await given.installed()).toEqual([CUDA, SHARED]);
});

test('a package with another ONNX Runtime gets a folder of its own, which ortLibrary names', async () => {
  const given = await host();
  const folder = await releaseFolder(given);
  await rename(join(folder, 'lib', 'libonnxruntime.so.1.0'), join(given.path, 'old-core'));
  writeOtherCore(join(folder, 'lib'));
  expect(existsSync(join(folder, 'lib', CORE))).toBe(true);
  const target = join(given.path, 'whole');
  const { code, output } = await given.setup(folder, '--to', target);
  const line = `ortLibrary: ${join(target, 'libonnxruntime.so')}`;
  expect(output).toContain(`\n${line}\n`);
  expect(code).toBe(1);
  expect(await given.installed()).toEqual([]);
  expect((await readdir(target)).sort()).toEqual(['libonnxruntime.so', CUDA, SHARED]);
  const config = join(given.path, 'other.yaml');
  await writeFile(config, `${line}\nlisten: { port: 0 }\nadmin: { port: 0 }\nmodels: .\n`);
  const doctor = await runCli(['doctor', '--json', '--config', config]);
  const { checks } = JSON.parse(doctor.output) as DoctorReport;
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: 'ONNX Runtime',
      details: expect.objectContaining({ version: '1.29.1' }) as unknown,
    }),
  );
});

describe('nothing is installed from', () => {
  test('a wheel of another version', async () => {
    const given = await host();
    writeMetadata(given.path, '1.29.1');
    const metadata = 'onnxruntime_gpu-1.29.1.dist-info/METADATA';
    const wheel = await writeZip(join(given.path, 'a.whl'), {
      [metadata]: join(given.path, metadata),
      [SHARED]: join(given.providers, SHARED),
      [CUDA]: join(given.providers, CUDA),
    });
    const result = await given.setup(wheel);
    expect(result).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(result.output).toContain('is of ONNX Runtime 1.29.1, without ONNX Runtime itself');
    expect(await given.installed()).toEqual([]);
  });

  test('a package that lacks a library', async () => {
    const given = await host();
    const wheel = await writeZip(join(given.path, 'a.whl'), {
      [SHARED]: join(given.providers, SHARED),
    });
    const result = await given.setup(wheel);
    expect(result).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(result.output).toContain(`${wheel} has no ${CUDA}`);
    expect(await given.installed()).toEqual([]);
  });

  test.each(['a wheel', 'a release archive'])('%s that is cut off', async (form) => {
    const given = await host();
    const archive = (await FORMS[form]?.(given)) ?? '';
    await truncate(archive, 2_000);
    expect(await given.setup(archive)).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(await given.installed()).toEqual([]);
  });

  test('an archive whose content is not what its checksum says', async () => {
    const given = await host();
    const wheel = (await FORMS['a wheel']?.(given)) ?? '';
    const bytes = await readFile(wheel);
    const inFirstLibrary = bytes.indexOf(SHARED) + SHARED.length + 100;
    bytes.fill(0x5a, inFirstLibrary, inFirstLibrary + 200);
    await writeFile(wheel, bytes);
    expect(await given.setup(wheel)).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(await given.installed()).toEqual([]);
  });

  test('a zip with an entry that leads out of it', async () => {
    const given = await host();
    const wheel = await writeZip(join(given.path, 'a.whl'), {
      [`lib/${SHARED}`]: join(given.providers, SHARED),
      [`ab/${CUDA}`]: join(given.providers, CUDA),
    });
    await renameInArchive(wheel, `ab/${CUDA}`, `../${CUDA}`);
    expect(await given.setup(wheel)).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(await given.installed()).toEqual([]);
    expect(existsSync(join(given.path, CUDA))).toBe(false);
  });

  test('a tar with an entry that leads out of it', async () => {
    const given = await host();
    const file = join(given.path, 'a.tgz');
    const cwd = join(given.path, '.providers');
    await writeFile(join(given.path, 'evil'), 'x');
    await create({ file, cwd, gzip: true, preservePaths: true }, [SHARED, CUDA, '../evil']);
    const result = await given.setup(file);
    expect(result).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(result.output).toContain("the entry '../evil', which leads out of it");
    expect(await given.installed()).toEqual([]);
  });

  test('a zip whose library is a link', async () => {
    const given = await host();
    const wheel = await writeZip(join(given.path, 'a.whl'), {
      [SHARED]: join(given.providers, SHARED),
      [CUDA]: { target: '/etc/passwd' },
    });
    const result = await given.setup(wheel);
    expect(result).toMatchObject(refused('FAILED_PRECONDITION'));
    expect(result.output).toContain('as a link');
    expect(await given.installed()).toEqual([]);
  });

  test('what is no package, or is not there', async () => {
    const given = await host();
    const text = join(given.path, 'a.whl');
    await writeFile(text, 'no archive at all');
    const result = await given.setup(text);
    expect(result).toMatchObject({ code: 2 });
    expect(result.output).toContain('is none of them');
    expect(await given.setup(join(given.path, 'nowhere'))).toMatchObject({ code: 2 });
  });
});

test("NuGet's package is for the shipped ONNX Runtime alone", async () => {
  const { path, beside } = await host();
  const config = join(path, 'warmswap.yaml');
  const result = await runCli(['setup', 'cuda', '--config', config]);
  expect(result).toMatchObject(refused('FAILED_PRECONDITION'));
  expect(result.output).toContain(`ortLibrary names ${beside}`);
});

test('where NuGet cannot be reached, that is said, and nothing is left behind', async () => {
  const folder = join(dirname(bundledLibraryPath()), '../../../..');
  const before = await readdir(folder, { recursive: true });
  const result = await runCli(['setup', 'cuda'], undefined, {
    GLOBAL_AGENT_HTTPS_PROXY: 'http://127.0.0.1:1',
  });
  expect(result).toMatchObject(refused('UNAVAILABLE'));
  expect(result.output).toMatch(/NuGet's package cannot be installed: .*ECONNREFUSED.*--from/);
  expect(await readdir(folder, { recursive: true })).toEqual(before);
});
