import { fileURLToPath } from 'node:url';
import { gpuOf, type Device } from '../config/device.js';
import type { Engine } from '../native/engine.js';

/** The edge detector that comes with Warmswap: convolutions, so that cuDNN has its part. */
const MODEL = fileURLToPath(new URL('../../models/edges/1/model.onnx', import.meta.url));
const SIDE = 8;

/** Runs a small model once. Rejects as loading and runs do. */
export async function runSmallModel(engine: Engine, device: Device): Promise<void> {
  const gpu = gpuOf(device);
  const model = await engine.load({
    modelPath: MODEL,
    ...{ intraOpThreads: 1, runnerThreads: 1, queueCapacity: 1 },
    ...(gpu === undefined ? { webgpu: device === 'webgpu' } : { cuda: { deviceId: gpu } }),
  });
  try {
    const shape = [1, SIDE, SIDE, 3];
    const data = new Uint8Array(SIDE * SIDE * 3);
    await model.infer({ inputs: { image: { datatype: 'UINT8', shape, data } } });
  } finally {
    await model.unload();
  }
}
