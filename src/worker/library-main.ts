import { bundledLibraryPath, loadBinding } from '../native/binding.js';
import { Engine } from '../native/engine.js';
import type { LibraryReport } from './library-report.js';

/**
 * Entry of a child that opens one ONNX Runtime library (its argument, or the shipped one), reports
 * and ends. A library that crashes takes nothing but this process with it.
 */

function open(path: string): LibraryReport {
  try {
    loadBinding();
    const engine = new Engine(path);
    const { onnxRuntimeVersion: version, providers } = engine;
    engine.close();
    return { path, version, providers };
  } catch (error) {
    return { path, problem: (error as Error).message };
  }
}

const report = open(process.argv[2] ?? bundledLibraryPath());
process.send?.(report, () => process.disconnect());
