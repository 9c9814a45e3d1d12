import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { describePlacement } from './affinity.js';
import { projectRoot } from './paths.js';

/** What a result depends on besides the code under test. */
export interface RunFacts {
  date: string;
  commit: string;
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  placement: string;
  versions: Readonly<Record<string, string>>;
}

export function collectFacts(): RunFacts {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    placement: describePlacement(),
    versions: {
      node: process.versions.node,
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      uWebSockets: packageVersion('uWebSockets.js'),
      ws: packageVersion('ws'),
      python: pythonVersion(),
    },
  };
}

export function describeFacts(facts: RunFacts): string {
  const { commit, cpu, cores, memoryGb, kernel, versions, placement } = facts;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `commit ${commit}, ${facts.date}`,
    `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}; ${list.join(', ')}`,
    placement,
  ].join('\n');
}

/** With `+` where the working tree differs from it. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8', stdio: 'pipe' }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return 'none';
  }
}

function packageVersion(name: string): string {
  const path = join(projectRoot, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function pythonVersion(): string {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return 'no python3';
  }
}
