import type { Engine } from '../native/engine.js';
import { artifactKey, type Artifact, type ArtifactStore } from './artifact-store.js';
import { cpuName } from './cpu.js';
import { sourceDigest } from './source-digest.js';

export interface PackContext {
  engine: Engine;
  store: ArtifactStore;
  device: string;
  onStep: (step: 'hashing' | 'packing') => void;
}

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
  const artifact = await store.create(source, (folder) =>
    engine.pack({ sourcePath: modelPath, outputDirectory: folder }),
  );
  return { artifact, fresh: true };
}
