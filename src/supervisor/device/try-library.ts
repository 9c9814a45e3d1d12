import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device } from '../../config/device.js';
import type { LibraryReport } from '../../worker/library-report.js';
import { childEnvironment } from '../child-environment.js';

const ENTRY = fileURLToPath(new URL('../../worker/library-main.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/**
 * Opens an ONNX Runtime library, the shipped one if left out, in a process of its own, and runs a small
 * model with it if a device is given. Never rejects.
 */
export function tryLibrary(path?: string, device?: Device): Promise<LibraryReport> {
  const child = fork(ENTRY, [path ?? '', device ?? ''], {
    execArgv: [],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  return new Promise((resolve) => {
    const settle = (report: LibraryReport) => {
      clearTimeout(timer);
      resolve(report);
    };
    const fail = (problem: string) => {
      settle({ path: path ?? 'the shipped library', problem });
    };
    child.once('message', (report) => {
      settle(report as LibraryReport);
    });
    child.once('error', (error) => {
      fail(`it cannot be tried: ${error.message}`);
    });
    // Not `exit`: that may come before the message.
    child.once('close', (code, signal) => {
      fail(`the process that opened it ended with ${signal ?? `code ${code}`}`);
    });
  });
}
