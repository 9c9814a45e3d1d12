import type { DeviceKind } from '../config/device.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Engine } from '../native/engine.js';
import { artifactKey, type Artifact, type ArtifactStore } from './artifact-store.js';
import { cpuName } from './cpu.js';
import { digestMismatch, sourceDigest } from './source-digest.js';

export interface PackContext {
  engine: Engine;
  store: ArtifactStore;
  device: DeviceKind;
  /** What model.onnx must hash to; anything if left out. */
  sha256?: string | undefined;
  onStep: (step: 'hashing' | 'packing') => void;
}

export interface Packed {
  artifact: Artifact;
  /** It was made now. */
  fresh: boolean;
  /** SHA-256 of the source's model.onnx. */
  modelSha256: string;
}

/**
 * Finds or makes the artifact of one version. Rejects with FAILED_PRECONDITION for what is no valid
 * model or not the one that is expected, RESOURCE_EXHAUSTED (with the numbers) if the store has no room.
 */
export async function packVersion(
  modelPath: string,
  { engine, store, device, sha256, onStep }: PackContext,
): Promise<Packed> {
  onStep('hashing');
  const { all, model: modelSha256 } = await sourceDigest(modelPath);
  const mismatch = digestMismatch(sha256, modelSha256);
  if (mismatch !== undefined) throw new WarmswapError('FAILED_PRECONDITION', mismatch);
  const source = {
    sha256: all,
    onnxRuntime: engine.onnxRuntimeBuild,
    device,
    cpu: await cpuName(),
  };
  const known = await store.find(artifactKey(source));
  if (known) return { artifact: known, fresh: false, modelSha256 };
  onStep('packing');
  const artifact = await store.create(source, (folder) =>
    engine.pack({ sourcePath: modelPath, outputDirectory: folder, device }),
  );
  return { artifact, fresh: true, modelSha256 };
}
