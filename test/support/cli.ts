import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  code: number;
  /** Standard output and standard error, as they came. */
  output: string;
}

/** Runs `warmswap …` to its end, in `cwd`. */
export async function runCli(
  args: readonly string[],
  cwd = process.cwd(),
  environment: NodeJS.ProcessEnv = {},
): Promise<CliResult> {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}
