import type { Device } from '../config/device.js';
import { bundledLibraryPath, loadBinding } from '../native/binding.js';
import { Engine } from '../native/engine.js';
import type { LibraryReport } from './library-report.js';
import { runSmallModel } from './small-model.js';

/**
 * Entry of a child that opens one ONNX Runtime library (its first argument, or the shipped one), runs a
 * small model on a device (its second argument, if there is one), reports and ends. A library that
 * crashes takes nothing but this process with it.
 */

async function open(path: string, device: Device | undefined): Promise<LibraryReport> {
  try {
    loadBinding();
    const engine = new Engine(path);
    const { onnxRuntimeVersion: version, providers } = engine;
    if (device) await runSmallModel(engine, device);
    engine.close();
    return { path, version, providers };
  } catch (error) {
    return { path, problem: (error as Error).message };
  }
}

const [path = '', device = ''] = process.argv.slice(2);
const report = await open(
  path || bundledLibraryPath(),
  (device || undefined) as Device | undefined,
);
process.send?.(report, () => {
  // What a broken library has left running must not keep this process.
  process.exit(0);
});
