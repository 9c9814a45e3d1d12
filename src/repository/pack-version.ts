import { statfs } from 'node:fs/promises';
import type { Engine } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import { artifactKey, type Artifact, type ArtifactStore } from './artifact-store.js';
import { cpuName } from './cpu.js';
import { sourceBytes, sourceDigest } from './source-digest.js';

export interface PackContext {
  engine: Engine;
  store: ArtifactStore;
  device: string;
  onStep: (step: 'hashing' | 'packing') => void;
}

/** Original and packed weights, and a little for the rest. */
const SPACE_FACTOR = 2.1;

/**
 * Finds or makes the artifact of one version. Rejects with FAILED_PRECONDITION for what is no valid
 * model, RESOURCE_EXHAUSTED (with the numbers) if the store has no room.
 */
export async function packVersion(
  modelPath: string,
  { engine, store, device, onStep }: PackContext,
): Promise<{ artifact: Artifact; fresh: boolean }> {
  onStep('hashing');
  const source = {
    sha256: await sourceDigest(modelPath),
    onnxRuntime: engine.onnxRuntimeVersion,
    device,
    cpu: await cpuName(),
  };
  const known = await store.find(artifactKey(source));
  if (known) return { artifact: known, fresh: false };
  onStep('packing');
  const artifact = await store.create(source, async (folder) => {
    await requireSpace(folder, await sourceBytes(modelPath));
    return engine.pack({ sourcePath: modelPath, outputDirectory: folder });
  });
  return { artifact, fresh: true };
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = Math.ceil(bytes * SPACE_FACTOR);
  if (bavail * bsize >= needed) return;
  throw new WarmswapError(
    'RESOURCE_EXHAUSTED',
    `the artifact store has ${bavail * bsize} bytes free, packing needs about ${needed}`,
  );
}
