import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { echo, FakeRpcServer } from '../support/fake-rpc-server.js';
import { installPacked } from '../support/packed-package.js';

/** The package as it would be published, installed without its scripts: there is no addon. */

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function node(args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

const CALL = `
  import { connect } from 'warmswap/client';
  import * as whole from 'warmswap';
  const client = await connect(process.argv[1]);
  console.log(await client.ping('seen'), whole.connect === connect);
  await client.close();
`;

test('the client library works, and needs msgpackr and ws alone', async () => {
  const folder = await installPacked(['msgpackr', 'ws']);
  const server = await FakeRpcServer.start(echo);
  const ended = await node(['--input-type=module', '-e', CALL, server.url], folder);
  expect(ended).toEqual({ code: 0, stdout: 'seen true\n', stderr: '' });
});

test.each([['serve'], ['pack', 'm/1']])('%s tells how to build the addon', async (...args) => {
  const manifest = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const folder = await installPacked(Object.keys(dependencies));
  const cli = join(folder, 'node_modules', 'warmswap', 'dist', 'cli', 'main.js');
  const { code, stdout, stderr } = await node([cli, ...args], folder);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^warmswap: FAILED_PRECONDITION: the native addon is not built .*: run "node .*build-addon\.mjs"\n$/,
  );
});
