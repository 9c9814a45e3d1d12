import { difference } from './compare-tensors.js';
import { readGoldenFiles, type GoldenVector } from './golden-file.js';
import type { Version } from './version.js';

/**
 * Why a loaded version fails its golden vectors: one of them cannot be used, is answered with an
 * error, or otherwise than it expects. Nothing if the version meets all, or has none.
 */
export async function goldenProblem(version: Version): Promise<string | undefined> {
  const { goldenFiles = [] } = version.plan;
  try {
    for (const vector of await readGoldenFiles(goldenFiles, version.signature)) {
      const problem = await vectorProblem(version, vector);
      if (problem !== undefined) return `golden vector ${vector.path}: ${problem}`;
    }
    return undefined;
  } catch (error) {
    return `golden vector ${(error as Error).message}`;
  }
}

async function vectorProblem(
  version: Version,
  { path, inputs, outputs, tolerance }: GoldenVector,
): Promise<string | undefined> {
  const got = await version
    .rehearse({ inputs, outputs: Object.keys(outputs) })
    .catch((error: unknown) => {
      throw new Error(`${path}: the run failed: ${(error as Error).message}`, { cause: error });
    });
  for (const [name, expected] of Object.entries(outputs)) {
    const answer = got.outputs[name];
    const problem = answer ? difference(expected, answer, tolerance) : 'it is missing';
    if (problem !== undefined) return `output '${name}': ${problem}`;
  }
  return undefined;
}
