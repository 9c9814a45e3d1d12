// Runs programs.
import { spawn } from 'node:child_process';

/**
 * Runs a program quietly. Resolves to `ok`, its `stdout`, and `output`: stdout and stderr as they
 * came. Never rejects: a program that is missing is `ok: false` and `missing: true`.
 */
export function capture(program, args, { input = '', ...options } = {}) {
  return new Promise((resolve) => {
    const result = { ok: false, missing: false, stdout: '', output: '' };
    const child = spawn(program, args, { ...options, stdio: 'pipe' });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      result.stdout += text;
      result.output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (result.output += text));
    child.on('error', (error) => resolve({ ...result, missing: true, output: error.message }));
    child.on('close', (code) => resolve({ ...result, ok: code === 0 }));
    child.stdin.on('error', () => {}).end(input);
  });
}

/** Runs a program on this terminal. Resolves to how it ended: `exit code 1`, `SIGSEGV`, or ''. */
export function runInForeground(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? (code === 0 ? '' : `exit code ${code}`)));
  });
}

/** Whether a program can be run at all. */
export async function isInstalled(program) {
  return (await capture(program, ['--version'])).ok;
}
