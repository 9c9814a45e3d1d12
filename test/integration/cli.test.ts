import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { npyDict, npyFile } from '../support/npy.js';

test('infer runs a model with JSON, a JSON file and raw bytes, and prints text or JSON', async () => {
  const repository = await testRepository();
  for (const version of [1, 2]) await repository.publish('shift', version);
  await repository.configure('shift', 'versions: all\nlabels: { old: 1 }');
  const { process } = await startDaemon(repository, ['--workers', '1']);
  const infer = (...args: string[]) => runCli(['infer', 'shift', '--url', process.rpcUrl, ...args]);

  const text = await infer('--input', 'x=[[1, 2, 3, 4]]');
  expect(text.code).toBe(0);
  expect(text.output).toMatch(/shift version 2 .*\n {2}y {2}FP32 \[1, 4\] {2}3, 4, 5, 6\n/);

  const json = join(repository.path, 'x.json');
  await writeFile(json, '{"shape": [2, 4], "data": [0, 0, 0, 0, 1, 1, 1, 1]}');
  const fromFile = await infer('--input', `x=@${json}`, '--label', 'old', '--json');
  expect(JSON.parse(fromFile.output)).toMatchObject({
    model: 'shift',
    version: 1,
    outputs: { y: { datatype: 'FP32', shape: [2, 4], data: [1, 1, 1, 1, 2, 2, 2, 2] } },
  });

  const raw = join(repository.path, 'x.bin');
  await writeFile(raw, new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer));
  const fromBytes = await infer('--input', `x=@${raw}`, '--version', '1', '--json');
  expect(JSON.parse(fromBytes.output)).toMatchObject({ outputs: { y: { data: [6, 7, 8, 9] } } });

  const urgent = ['--input', 'x=[[1, 2, 3, 4]]', '--priority', '0', '--deadline', '30s'];
  expect(await infer(...urgent)).toMatchObject({ code: 0 });
  expect(await infer('--input', 'x=[[1, 2, 3, 4]]', '--priority', '9')).toMatchObject({
    code: 1,
    output: expect.stringContaining('priority') as string,
  });
  for (const wrong of [
    ['--deadline', '0ms'],
    ['--priority', '-1'],
  ]) {
    expect(await infer('--input', 'x=[[1, 2, 3, 4]]', ...wrong)).toMatchObject({ code: 2 });
  }

  expect(await infer('--input', 'z=[1]')).toMatchObject({
    code: 2,
    output: expect.stringContaining('NAME of x') as string,
  });
  const example = 'for example --input x=1,2,3,4';
  for (const [value, got] of [
    ['x=[[1, 2]]', 'FP32 [1, 2]'],
    ['x=1,2,3', 'FP32 [3]'],
  ] as const) {
    const output = `INVALID_ARGUMENT: input 'x': expected FP32 [?, 4], got ${got}; ${example}`;
    expect(await infer('--input', value)).toEqual({ code: 2, output: `warmswap: ${output}\n` });
  }
  expect((await infer()).output).toContain(`input 'x': expected FP32 [?, 4], got none; ${example}`);
});

test('infer reads and writes files of NumPy, and gives the outputs that are named', async () => {
  const repository = await testRepository();
  for (const name of ['shift', 'identity-fp16', 'mixed']) await repository.publish(name, 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const infer = (...args: string[]) => runCli(['infer', ...args, '--url', process.rpcUrl]);
  const inFolder = (name: string) => join(repository.path, name);

  await writeFile(
    inFolder('x.npy'),
    npyFile(npyDict('<f4', '(2, 4)'), new Float32Array(8).fill(1)),
  );
  const saved = await infer(
    ...['shift', '--input', `x=@${inFolder('x.npy')}`, '--save', `y=${inFolder('y.npy')}`],
  );
  expect(saved).toMatchObject({ code: 0 });
  expect(await readFile(inFolder('y.npy'))).toEqual(
    npyFile(npyDict('<f4', '(2, 4)'), new Float32Array(8).fill(2)),
  );

  await writeFile(inFolder('half.npy'), npyFile(npyDict('<f2', '(1,)'), Uint16Array.of(0xb800)));
  const half = await infer('identity-fp16', '--input', `x=@${inFolder('half.npy')}`, '--json');
  expect(JSON.parse(half.output)).toMatchObject({ outputs: { y: { data: [-0.5] } } });
  const two = ['mixed', '--input', 'a=1,2,3,4,5,6', '--input', 'b=3,4', '--json'];
  const named = await infer(...two, '--output', 'b2');
  expect(Object.keys((JSON.parse(named.output) as { outputs: object }).outputs)).toEqual(['b2']);
  const both = await infer(...two, '--output', 'b2', '--save', `sum=${inFolder('sum.npy')}`);
  expect(JSON.parse(both.output)).toMatchObject({ outputs: { b2: {}, sum: {} } });

  const refused = await infer('shift', '--input', `x=@${inFolder('half.npy')}`);
  expect(refused).toMatchObject({
    code: 2,
    output: expect.stringContaining('expected FP32, got FP16 [1]') as string,
  });
});

test('infer with wrong options ends with 2 and says what was expected', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const cases: [string[], string][] = [
    [['--output', 'z'], 'NAME of y'],
    [['--shape', 'z=1,4'], 'NAME of x'],
    [['--version', '1', '--label', 'stable'], 'cannot be used with'],
    [['--url', 'nonsense'], 'an address like'],
    [['--ca', 'none.pem'], '--ca none.pem: cannot be read'],
    [['--token', 'not a token'], "--token: 'token': expected letters"],
    [['--save', 'y=/nowhere/y.npy'], '--save y=/nowhere/y.npy: '],
  ];
  for (const [args, message] of cases) {
    const { code, output } = await runCli([
      ...['infer', 'shift', '--input', 'x=1,2,3,4', '--url', process.rpcUrl, ...args],
    ]);
    expect(output).toContain(message);
    expect(code).toBe(2);
  }
  const label = ['--input', 'x=1,2,3,4', '--label', 'none', '--url', process.rpcUrl];
  expect(await runCli(['infer', 'shift', ...label])).toMatchObject({ code: 1 });
});

test('what fails has a code, with --json in one document on standard output', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const toData = ['--url', process.rpcUrl];
  const toAdmin = ['--admin', process.adminUrl];
  const cases: [string[], number, string][] = [
    [['infer', 'none', ...toData], 1, 'NOT_FOUND'],
    [['bench', '--model', 'none', ...toData], 1, 'NOT_FOUND'],
    [['ctl', 'activate', 'none', '1', ...toAdmin], 1, 'NOT_FOUND'],
    [['infer', 'shift', '--input', 'x=a,b', ...toData], 2, 'INVALID_ARGUMENT'],
  ];
  for (const [args, code, name] of cases) {
    const text = await runCli(args);
    expect(text).toEqual({ code, output: expect.stringMatching(`^warmswap: ${name}: `) as string });
    const json = await runCli([...args, '--json']);
    const message = text.output.trim().replace(`warmswap: ${name}: `, '');
    expect([json.code, JSON.parse(json.output)]).toEqual([
      code,
      { error: { code: name, message, retryable: false } },
    ]);
  }
});

test('each port given for the other is told', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const data = process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
  expect(await runCli(['ctl', 'status', '--admin', data])).toEqual({
    code: 1,
    output: expect.stringMatching(/FAILED_PRECONDITION: .* is the data port.*--admin/) as string,
  });
  const admin = process.adminUrl.replace('http:', 'ws:');
  expect(await runCli(['infer', 'shift', '--url', admin])).toEqual({
    code: 1,
    output: expect.stringMatching(
      /FAILED_PRECONDITION: .*is this the admin port\?.*\/rpc/,
    ) as string,
  });
});

test('ctl finds the admin interface by a flag, WARMSWAP_ADMIN or WARMSWAP_ADMIN_PORT', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const status = (environment: NodeJS.ProcessEnv, ...args: string[]) =>
    runCli(['ctl', 'status', ...args], undefined, environment);
  const { port } = new URL(process.adminUrl);
  expect((await status({ WARMSWAP_ADMIN: process.adminUrl })).code).toBe(0);
  expect((await status({ WARMSWAP_ADMIN_PORT: port })).code).toBe(0);
  const wrong = { WARMSWAP_ADMIN: 'http://127.0.0.1:1', WARMSWAP_ADMIN_PORT: port };
  expect((await status(wrong)).output).toContain('no daemon answers at http://127.0.0.1:1 ');
  expect((await status(wrong, '--admin', process.adminUrl)).code).toBe(0);
  for (const [environment, name] of [
    [{ WARMSWAP_ADMIN: '127.0.0.1:9001' }, 'WARMSWAP_ADMIN'],
    [{ WARMSWAP_ADMIN_PORT: 'abc' }, 'WARMSWAP_ADMIN_PORT'],
  ] as const) {
    const { code, output } = await status(environment);
    expect([code, output]).toEqual([2, expect.stringContaining(name)]);
  }
  expect(await status({}, '--admin', '127.0.0.1:9001')).toMatchObject({
    code: 2,
    output: expect.stringContaining('an address like http://127.0.0.1:9001') as string,
  });
});

test('ctl shows the status, reloads and activates', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, ['--workers', '1']);
  const ctl = (...args: string[]) => runCli(['ctl', ...args, '--admin', process.adminUrl]);

  const status = await ctl('status');
  expect(status).toMatchObject({
    code: 0,
    output: expect.stringContaining('generation 1') as string,
  });
  expect(status.output).toMatch(
    /worker 0 .* ready .*\n {2}shift {2}active 1\n {4}version 1 {2}active/,
  );
  expect(JSON.parse((await ctl('status', '--json')).output)).toMatchObject({ generation: 1 });

  await repository.publish('shift', 2);
  expect((await ctl('reload')).output).toBe('generation 2\n  shift: 1 → 2 committed\n');
  expect((await ctl('reload')).output).toBe('generation 2: nothing has changed\n');
  expect((await ctl('activate', 'shift', '1')).output).toBe(
    'generation 3\n  shift: 2 → 1 committed\n',
  );
  expect(await ctl('activate', 'shift', '9')).toMatchObject({
    code: 1,
    output: expect.stringContaining('versions: 1, 2') as string,
  });

  await repository.publish('shift', 3, 'garbage', 1);
  const failed = await ctl('reload');
  expect(failed.code).toBe(1);
  expect(failed.output).toMatch(/shift: 1 → 3 failed: .*malformed/);
});

test('an activation holds until a newer version is published', async () => {
  const repository = await testRepository();
  for (const version of [1, 2]) await repository.publish('shift', version);
  const { admin, reload, status } = await startDaemon(repository, ['--workers', '1']);
  const active = async () => (await status()).models[0]?.active;
  await admin.post('/models/shift/activate', { version: 1 });
  await reload();
  expect(await active()).toBe(1);
  await repository.publish('shift', 3);
  await reload();
  expect(await active()).toBe(3);
});

test('ctl says so when the daemon ends before it has answered', async () => {
  const server = createServer((_, response) => {
    response.write('{');
    response.socket?.resetAndDestroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const command of ['status', 'events']) {
    expect(await runCli(['ctl', command, '--admin', url])).toEqual({
      ...{ code: 1, output: expect.stringMatching(/^warmswap: UNAVAILABLE: .*\n$/) as string },
    });
  }
});

test('ctl and infer say so when no daemon answers', async () => {
  expect(await runCli(['ctl', 'status', '--admin', 'http://127.0.0.1:1'])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/no daemon answers .*: start it, or give --admin/) as string,
  });
  expect(await runCli(['infer', 'shift', '--url', 'ws://127.0.0.1:1'])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/cannot connect .*; start the daemon, or give --url/) as string,
  });
});

test('the demo swaps the bundled model under load, writes its pictures and ends with 0', async () => {
  const folder = await testRepository();
  const { code, output } = await runCli(['demo', '--seconds', '1'], folder.path);
  expect(output).toMatch(/requests \d+, failures 0, versions seen 1, 2/);
  expect(output).toMatch(/while swapping .* p50 .* p99/);
  expect(output).toMatch(/worker 1: private .* shared/);
  expect(code).toBe(0);
  for (const name of ['input.png', 'version-1-sobel.png', 'version-2-scharr.png']) {
    expect(existsSync(join(folder.path, 'demo-output', name))).toBe(true);
  }
});
