import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDaemon, testRepository } from '../support/daemon.js';

/** Clients that know nothing of Warmswap, some of them the README's; what is not installed is skipped. */

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const TRITON = fileURLToPath(new URL('../support/clients/triton_http.py', import.meta.url));

function lacks(...modules: string[]): boolean {
  return spawnSync('python3', ['-c', `import ${modules.join(', ')}`]).status !== 0;
}

async function runPython(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('python3', args);
  expect(stderr).not.toContain('Traceback');
  return stdout;
}

async function runShell(script = ''): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', script]);
  return stdout;
}

async function shiftServed(): Promise<string> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, ['--workers', '1']);
  return process.rpcUrl;
}

test.skipIf(lacks('tritonclient.http'))(
  'the client library of Triton works unchanged',
  async () => {
    await runPython([TRITON, new URL(await shiftServed()).host]);
  },
);

test.skipIf(lacks('websockets', 'msgpack'))(
  "the README's client in another language gets its answer",
  async () => {
    const example = /```python\n(.*?)```/s.exec(await readFile(README, 'utf8'))?.[1];
    const program = example
      ?.replace('ws://127.0.0.1:9000/rpc', await shiftServed())
      .replace('"sentiment"', '"shift"');
    expect(await runPython(['-c', program ?? ''])).toBe("(1, array('f', [2.0, 3.0, 4.0, 5.0]))\n");
  },
);

test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
  "the README's requests with curl get the README's answers",
  async () => {
    const { process } = await startDaemon(await testRepository(), ['--models', MODELS]);
    const { host } = new URL(process.rpcUrl);
    const readme = await readFile(README, 'utf8');
    const section = readme.slice(readme.indexOf('### Over HTTP'), readme.indexOf('## Measure it'));
    const [inJson, inBinary] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, script]) =>
      script?.replaceAll('localhost:9000', host),
    );
    const told = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? '') as { outputs: unknown };
    const answers = (await runShell(inJson)).replace('}{', '},{');
    expect(JSON.parse(`[${answers}]`)).toEqual([expect.objectContaining({ name: 'edges' }), told]);
    expect(JSON.parse(await runShell(inBinary))).toMatchObject({ outputs: told.outputs });
  },
);
