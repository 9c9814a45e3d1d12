import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Check } from '../../../src/cli/doctor/check.js';
import { collectFacts, type RunFacts } from '../../lib/machine.js';
import { projectRoot } from '../../lib/paths.js';
import type { HostReport } from './host-report.js';

/** What results on a GPU depend on besides the code under test. */
export interface GpuFacts extends RunFacts {
  driver: string;
  gpus: readonly Check['details'][];
  onnxRuntime: Check['details'];
  /** Of CUDA, as the provider finds them, by the names that tell their versions. */
  cudaLibraries: readonly string[];
}

/** Written beside a program that is carried to where there is no git. */
const COMMIT_FILE = join(projectRoot, 'build', 'commit');

export function collectGpuFacts(report: HostReport): GpuFacts {
  const facts = collectFacts();
  return {
    ...facts,
    commit: facts.commit === 'none' ? carriedCommit() : facts.commit,
    driver: report.check('NVIDIA driver')?.found ?? 'unknown',
    gpus: report.checks.filter(({ name }) => /^GPU \d+$/.test(name)).map(({ details }) => details),
    onnxRuntime: report.check('ONNX Runtime')?.details,
    cudaLibraries: report.checks
      .filter(isLibrary)
      .map(({ found }) => basename(realpathSync(found))),
  };
}

export function describeGpuFacts(facts: GpuFacts): string {
  const { commit, cpu, cores, driver, gpus, onnxRuntime, cudaLibraries } = facts;
  const gpuNames = gpus.map((gpu) => `GPU ${String(gpu?.index)} ${String(gpu?.name)}`);
  return [
    `commit ${commit}, ${cpu}, ${cores} cores, ${gpuNames.join(', ') || 'no GPU'}, driver ${driver}`,
    `ONNX Runtime ${String(onnxRuntime?.version)}; ${cudaLibraries.join(', ') || 'no libraries of CUDA'}`,
  ].join('\n');
}

function carriedCommit(): string {
  return existsSync(COMMIT_FILE) ? readFileSync(COMMIT_FILE, 'utf8').trim() : 'none';
}

function isLibrary({ name, status, found }: Check): boolean {
  return /^lib(cu|nv)/.test(name) && status === 'ok' && existsSync(found);
}
