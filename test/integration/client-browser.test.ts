import { build } from 'esbuild';
import { join } from 'node:path';
import { createContext, runInContext, type Context } from 'node:vm';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type * as Library from '../../src/client/browser.js';
import { startDaemon, testRepository } from '../support/daemon.js';

/** The built client library as a web page has it: bundled, without Node.js. */

const root = join(import.meta.dirname, '..', '..');

/**
 * Of a platform that has nothing of Node.js. Buffers are those of this realm, as the WebSocket's are: in
 * a page both are the page's.
 */
const PAGE = {
  ...{ WebSocket, URL, TextDecoder, TextEncoder, AbortController, AbortSignal, performance },
  ...{ setTimeout, clearTimeout, queueMicrotask },
  ...{ ArrayBuffer, DataView, Uint8Array, Uint16Array, Uint32Array, BigUint64Array },
  ...{ Int8Array, Int16Array, Int32Array, BigInt64Array, Float32Array, Float64Array },
};

interface Bundle {
  code: string;
  /** Files of the library and of packages of which something is left in it, sorted. */
  files: readonly string[];
}

/** Rejects if it needs something that is not there in browsers, such as a module of Node.js. */
async function bundle(source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: root },
    ...{ platform: 'browser', format: 'iife', globalName: 'page', bundle: true },
    ...{ write: false, metafile: true, absWorkingDir: root },
  });
  const outputs = Object.values(metafile.outputs);
  expect(outputs.flatMap(({ imports }) => imports)).toEqual([]);
  const inputs = outputs.flatMap((output) => Object.entries(output.inputs));
  const left = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  return {
    code: outputFiles[0]?.text ?? '',
    files: left.filter((file) => file !== '<stdin>').sort(),
  };
}

/** What the bundle exports, once it has run in a realm of its own. */
function runAsPage({ code }: Bundle): Context {
  const context = createContext({ ...PAGE });
  for (const name of ['process', 'Buffer', 'require', 'global']) {
    expect(runInContext(`typeof ${name}`, context), name).toBe('undefined');
  }
  return runInContext(`${code}; page`, context) as Context;
}

test.each([
  ['toFloat16', ['dist/client/float16.js', 'dist/rpc/half-floats.js']],
  ['WarmswapError', ['dist/rpc/codes.js', 'dist/rpc/errors.js']],
])('a page that takes %s alone gets nothing else', async (name, files) => {
  const bundled = await bundle(`export { ${name} } from 'warmswap/client';`);
  expect(bundled.files).toEqual(files);
  expect(runAsPage(bundled)[name]).toBeTypeOf('function');
});

test('a page that takes every helper gets neither connections nor MessagePack', async () => {
  const { files } = await bundle(
    `export { tensor, float32Values, textValues, toBfloat16 } from 'warmswap/client';`,
  );
  expect(files).toContain('dist/client/tensors.js');
  expect(files.join(' ')).not.toMatch(/msgpackr|connection|client\/client|socket|frames/);
});

test('a page calls the daemon', async () => {
  const repository = await testRepository();
  await repository.publish('identity-fp32', 1);
  await repository.publish('identity-bytes', 1);
  const { process: daemon } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const page = runAsPage(await bundle(`export * from 'warmswap/client';`)) as typeof Library;

  const client = await page.connect(daemon.rpcUrl);
  const x = page.tensor('FP32', [3], [1.5, -2, 3]);
  const { outputs } = await client.infer({ model: 'identity-fp32', inputs: { x } });
  expect(outputs.y).toEqual({ datatype: 'FP32', shape: [3], data: Float32Array.of(1.5, -2, 3) });
  const texts = page.tensor('BYTES', [2], ['ä', '']);
  const answer = await client.infer({ model: 'identity-bytes', inputs: { x: texts } });
  expect(page.textValues(answer.outputs.y as Library.OutputTensor)).toEqual(['ä', '']);
  await expect(client.describe('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await client.close();
});
