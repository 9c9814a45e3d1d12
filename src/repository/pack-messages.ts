import type { DeviceKind } from '../config/device.js';
import type { ArtifactManifest } from './artifact-store.js';

/** What the supervisor and a packer tell each other over the packer's IPC channel. Plain JSON. */

export interface PackJob {
  /** Comes back with the answer. */
  id: number;
  /** Absolute path of the version's model.onnx. */
  modelPath: string;
  /** What the artifact is for. */
  device: DeviceKind;
  /** What model.onnx must hash to; anything if left out. */
  sha256?: string;
}

export interface PackOrder {
  /** Folder of the artifact store. */
  store: string;
  /** The ONNX Runtime to use; the shipped one if left out. */
  ortLibrary?: string | undefined;
  jobs: readonly PackJob[];
}

export type FromPacker =
  /** For each job, as it goes. */
  | { type: 'progress'; id: number; step: 'hashing' | 'packing' }
  | {
      type: 'packed';
      id: number;
      modelPath: string;
      manifest: ArtifactManifest;
      fresh: boolean;
      /** Of the source's model.onnx. */
      modelSha256: string;
    }
  | { type: 'failed'; id: number; code: string; reason: string }
  /** After the last job. */
  | { type: 'done' };
