import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  classifierInput,
  readLabelledFiles,
  readLabels,
  topLabel,
} from '../../src/cli/demo/classifier-files.js';
import type { ModelDescription } from '../../src/client/index.js';
import { assetsDir, hasAssets } from '../support/assets.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { readTensorFile } from '../support/onnx-tensor-file.js';
import { float32, fromFloat32, RawRpc, type WireTensor } from '../support/raw-rpc.js';

/** Real models over real inputs, asked by a client that shares no code with the daemon. */

describe.skipIf(!hasAssets('models/magika'))('the file type classifier', () => {
  const magika = join(assetsDir, 'models', 'magika');

  test('names 33, 37 and 38 of 38 files right in its three versions', async () => {
    const repository = await testRepository();
    for (const version of [1, 2, 3]) {
      await repository.publishFolder('magika', version, join(magika, String(version)));
    }
    await repository.configure('magika', 'versions: all');
    const { process } = await startDaemon(repository);
    const rpc = await RawRpc.connect(process.rpcUrl);
    const files = await readLabelledFiles(join(assetsDir, 'data', 'files'));
    const right: number[] = [];
    for (const version of [1, 2, 3]) {
      const labels = await readLabels(join(magika, String(version)));
      const named = await Promise.all(
        files.map(async ({ bytes }) => {
          const input = classifierInput(bytes, labels);
          const data = new Uint8Array(input.buffer);
          const tensor = { datatype: 'INT32', shape: [1, input.length], data };
          const params = { model: 'magika', version, inputs: { bytes: tensor } };
          const { error, result } = await rpc.call('infer', params);
          expect(error).toBeNull();
          const [scores] = Object.values(result.outputs);
          return topLabel(Float32Array.from(fromFloat32(scores as WireTensor)), labels);
        }),
      );
      right.push(named.filter((label, i) => label === files[i]?.label).length);
    }
    expect(files).toHaveLength(38);
    expect(right).toEqual([33, 37, 38]);
  });
});

describe.skipIf(!hasAssets('models/silero-vad'))('the voice activity detector', () => {
  const CONTEXT = 64;
  const CHUNK = 512;
  const WAV_HEADER_BYTES = 44;

  /** The recording, after the silence that is the context of its first chunk. */
  async function readSamples(): Promise<Float32Array> {
    const wav = await readFile(join(assetsDir, 'data', 'audio', 'speech.wav'));
    const samples = new Float32Array(CONTEXT + (wav.length - WAV_HEADER_BYTES) / 2);
    return samples.map((_, i) =>
      i < CONTEXT ? 0 : wav.readInt16LE(WAV_HEADER_BYTES + 2 * (i - CONTEXT)) / 32_768,
    );
  }

  test('hears speech in 1451 of 1874 chunks, its state carried from answer to request', async () => {
    const repository = await testRepository();
    await repository.publishFolder('vad', 1, join(assetsDir, 'models', 'silero-vad', '1'));
    const { process } = await startDaemon(repository, ['--workers', '1']);
    const rpc = await RawRpc.connect(process.rpcUrl);
    const samples = await readSamples();
    const sr = {
      datatype: 'INT64',
      shape: [],
      data: new Uint8Array(BigInt64Array.of(16_000n).buffer),
    };
    let state = float32(new Array<number>(2 * 128).fill(0));
    let chunks = 0;
    let speech = 0;
    for (let at = CONTEXT; at + CHUNK < samples.length; at += CHUNK) {
      const window = new Uint8Array(samples.slice(at - CONTEXT, at + CHUNK).buffer);
      const { error, result } = await rpc.call('infer', {
        model: 'vad',
        inputs: {
          input: { datatype: 'FP32', shape: [1, CONTEXT + CHUNK], data: window },
          state: { datatype: 'FP32', shape: [2, 1, 128], data: state },
          sr,
        },
      });
      expect(error).toBeNull();
      const [probability = 0] = fromFloat32(result.outputs.output as WireTensor);
      state = (result.outputs.stateN as WireTensor).data;
      chunks++;
      if (probability > 0.5) speech++;
    }
    expect([speech, chunks]).toEqual([1451, 1874]);
  });
});

describe.skipIf(!hasAssets('onnx-backend'))("ONNX's own backend tests", () => {
  const cases = join(assetsDir, 'onnx-backend', 'pytorch-converted');
  const RELATIVE = 1e-3;
  const ABSOLUTE = 1e-5;
  let names: string[] = [];

  beforeAll(async () => {
    names = (await readdir(cases)).sort();
  });

  test('every model that ONNX Runtime has the operators for gives its expected outputs', async () => {
    const repository = await testRepository();
    for (const name of names) {
      await cp(join(cases, name, 'model.onnx'), join(repository.path, name, '1', 'model.onnx'));
    }
    const { process, status } = await startDaemon(repository);
    const rpc = await RawRpc.connect(process.rpcUrl);
    const { models } = await status();
    const served = models.filter(({ active }) => active !== null);
    const refused = models.filter(({ active }) => active === null);
    for (const { versions } of refused) {
      expect(versions[0]?.reason).toContain('Could not find an implementation');
    }
    const wrong: string[] = [];
    for (const { name } of served) {
      const folder = join(cases, name, 'test_data_set_0');
      const { inputs } = (await rpc.call('describe', { model: name }))
        .result as unknown as ModelDescription;
      const inputName = inputs[0]?.name ?? '';
      const input = await readTensorFile(join(folder, 'input_0.pb'));
      const expected = await readTensorFile(join(folder, 'output_0.pb'));
      const params = { model: name, inputs: { [inputName]: input } };
      const { error, result } = await rpc.call('infer', params);
      const [output] = Object.values(error ? {} : result.outputs);
      if (!output || !isClose(output, expected))
        wrong.push(`${name}: ${error?.message ?? 'differs'}`);
    }
    expect(wrong).toEqual([]);
    expect(served.length).toBeGreaterThanOrEqual(59);
  });

  function isClose(output: WireTensor, expected: WireTensor): boolean {
    const values = fromFloat32(output);
    const wanted = fromFloat32(expected);
    return (
      output.datatype === 'FP32' &&
      JSON.stringify(output.shape) === JSON.stringify(expected.shape) &&
      wanted.every((value, i) => {
        const difference = Math.abs((values[i] ?? Number.NaN) - value);
        return difference <= ABSOLUTE + RELATIVE * Math.abs(value);
      })
    );
  }
});
