import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { WarmswapError } from '../../rpc/errors.js';

/** The provider of the shipped ONNX Runtime, by the installer of onnxruntime-node. */

const TIMEOUT_MS = 30 * 60_000;
const OUTPUT_BYTES = 2 ** 20;

/**
 * Has NuGet's package downloaded, and puts what the installer takes of it into `folder`, which must lie
 * in the folder of onnxruntime-node. Rejects with UNAVAILABLE if that fails.
 */
export async function downloadFromNuGet(folder: string): Promise<void> {
  const root = onnxRuntimeNode();
  // It writes beside itself, file by file: in a copy, what it leaves half done is seen by nobody.
  await mkdir(folder, { recursive: true });
  await cp(join(root, 'script'), join(folder, 'script'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  try {
    await promisify(execFile)(process.execPath, [join(folder, 'script', 'install.js')], {
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'true' },
      timeout: TIMEOUT_MS,
      maxBuffer: OUTPUT_BYTES,
    });
  } catch (error) {
    const reason =
      `NuGet's package cannot be installed: ${causeOf(error)}. Where NuGet cannot be reached, ` +
      'bring the package and name it with --from';
    throw new WarmswapError('UNAVAILABLE', reason, { cause: error });
  }
}

/** The folder of onnxruntime-node, whose installer is told apart from its other scripts by nothing. */
export function onnxRuntimeNode(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}

/** The line that tells the error, of what a script that ended with a stack trace has printed. */
function causeOf(error: unknown): string {
  const { message, stderr = '', killed } = error as Error & { stderr?: string; killed?: boolean };
  if (killed) return `it took longer than ${TIMEOUT_MS / 60_000} minutes`;
  const line = stderr.split('\n').find((text) => /^\s*(\[?[\w.]*Error\b|Error:)/.test(text));
  return line?.trim() ?? message.split('\n')[0] ?? 'it failed';
}
