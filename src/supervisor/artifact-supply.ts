import { basename, dirname } from 'node:path';
import type { DeviceKind } from '../config/device.js';
import { ArtifactStore } from '../repository/artifact-store.js';
import type { PackJob } from '../repository/pack-messages.js';
import { digestMismatch } from '../repository/source-digest.js';
import type { GenerationPlan, ModelPlan, VersionFailure, VersionPlan } from '../registry/plan.js';
import type { Logger } from '../telemetry/log.js';
import { artifactDevice } from './artifact-device.js';
import { PackerProcess, type PackedArtifact, type PackResult } from './packer.js';

export interface ArtifactSupplyOptions {
  store: string;
  /** The store is kept below this as far as what is served allows. */
  maxBytes: number;
  /** Of the workers. */
  device: DeviceKind;
  ortLibrary: string | undefined;
  /** For one version. */
  packTimeoutMs: () => number;
  log: Logger;
}

/** The plan with its versions at their artifacts; or which versions have none, and why. */
export interface Supplied {
  plan: GenerationPlan;
  failures: readonly VersionFailure[];
}

interface Wanted {
  model: string;
  version: VersionPlan;
}

/** Brings the versions of a plan to their artifacts, making those that the store has not. */
export class ArtifactSupply {
  readonly #store: ArtifactStore;
  /** By the version's files and what it is for (`sourceOf`); holds what the last plan wants. */
  #known: ReadonlyMap<string, PackedArtifact> = new Map();
  #packer: PackerProcess | undefined;
  #packing: Wanted | undefined;
  #isClosed = false;

  constructor(private readonly options: ArtifactSupplyOptions) {
    this.#store = new ArtifactStore(options.store);
  }

  /** What is being packed now. */
  get packing(): { model: string; version: number } | undefined {
    return this.#packing && { model: this.#packing.model, version: this.#packing.version.version };
  }

  /** Looks at the store again for everything. */
  forget(): void {
    this.#known = new Map();
  }

  /** Takes as long as packing does; never rejects. One call at a time. */
  async supply(plan: GenerationPlan): Promise<Supplied> {
    const wanted = plan.models.flatMap(unpacked);
    const failures = await this.#pack(
      wanted.filter(({ version }) => !this.#known.has(this.#sourceOf(version))),
    );
    const supplied = { ...plan, models: plan.models.map((model) => this.#withArtifacts(model)) };
    return { plan: supplied, failures: [...failures, ...wanted.flatMap(this.#mistaken)] };
  }

  /** Removes artifacts beyond the store's bound; those of the generation stay. */
  async collect({ models }: GenerationPlan): Promise<void> {
    const versions = models.flatMap((model) => model.versions);
    const inUse = new Set(versions.map((version) => this.#sourceOf(version)));
    this.#known = new Map([...this.#known].filter(([source]) => inUse.has(source)));
    // What an earlier daemon has committed is served without having been supplied.
    const served = versions.filter(({ artifact }) => artifact).map(folderName);
    const known = [...this.#known.values()].map(({ manifest }) => manifest.key);
    const keep = new Set([...known, ...served]);
    const bytes = await this.#store.collect({ keep, maxBytes: this.options.maxBytes });
    if (bytes > this.options.maxBytes) {
      this.options.log.warn(
        { bytes, maxBytes: this.options.maxBytes },
        'the artifacts in use exceed store.maxBytes',
      );
    }
  }

  /** Ends a packer that is at work. */
  close(): void {
    this.#isClosed = true;
    this.#packer?.kill();
  }

  /** One packer after another, until each version has its artifact or the reason why not. */
  async #pack(wanted: readonly Wanted[]): Promise<VersionFailure[]> {
    const failures: VersionFailure[] = [];
    let left = wanted;
    while (left.length > 0 && !this.#isClosed) {
      const results = await this.#runPacker(left);
      failures.push(...left.flatMap((one, id) => this.#settle(one, results.get(id))));
      left = left.filter((_, id) => !results.has(id));
    }
    return failures;
  }

  async #runPacker(wanted: readonly Wanted[]): Promise<ReadonlyMap<number, PackResult>> {
    const { store, ortLibrary, packTimeoutMs, log } = this.options;
    const onProgress = (job: number, step: string) => {
      this.#packing = wanted[job];
      log.info({ ...this.packing, step }, 'packing');
    };
    const jobs = wanted.map(({ version }, id) => toJob(version, id, this.#deviceOf(version)));
    const order = { store, ortLibrary, jobs };
    this.#packer = new PackerProcess(order, packTimeoutMs(), { onProgress });
    const results = await this.#packer.results;
    this.#packer = undefined;
    this.#packing = undefined;
    return results;
  }

  #settle({ model, version }: Wanted, result: PackResult | undefined): VersionFailure[] {
    if (!result) return [];
    if ('manifest' in result) {
      this.#known = new Map(this.#known).set(this.#sourceOf(version), result);
      return [];
    }
    const { code, reason } = result;
    return [{ model, version: version.version, key: version.key, code, reason }];
  }

  /** The packer checks what it reads; this checks what it has read before model.yaml said so. */
  readonly #mistaken = ({ model, version }: Wanted): VersionFailure[] => {
    const known = this.#known.get(this.#sourceOf(version));
    const reason = known && digestMismatch(version.sha256, known.modelSha256);
    const { version: number, key } = version;
    return reason === undefined
      ? []
      : [{ model, version: number, key, code: 'FAILED_PRECONDITION', reason }];
  };

  #withArtifacts(model: ModelPlan): ModelPlan {
    const versions = model.versions.map((version) => {
      const artifact = this.#known.get(this.#sourceOf(version));
      if (!artifact || version.artifact) return version;
      const { form, reason, bytes, loadBytes, privateBytes, unpackedSlowdown } = artifact.manifest;
      const { modelPath } = artifact;
      const why = reason === undefined ? {} : { reason };
      const measured = { bytes, loadBytes, privateBytes, unpackedSlowdown };
      const kind = this.#deviceOf(version);
      const device = kind === 'cpu' ? {} : { device: kind };
      return { ...version, modelPath, artifact: { form, ...why, ...measured, ...device } };
    });
    return { ...model, versions };
  }

  #sourceOf(version: VersionPlan): string {
    return `${this.#deviceOf(version)} ${version.fingerprint}`;
  }

  #deviceOf(version: VersionPlan): DeviceKind {
    return artifactDevice(version, this.options.device);
  }
}

function toJob({ modelPath, sha256 }: VersionPlan, id: number, device: PackJob['device']): PackJob {
  return { id, modelPath, device, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** An artifact's folder is named by its key. */
function folderName({ modelPath }: VersionPlan): string {
  return basename(dirname(modelPath));
}

/** A plan that is kept from an earlier generation has its artifacts already. */
function unpacked({ name, versions }: ModelPlan): Wanted[] {
  return versions.filter(({ artifact }) => !artifact).map((version) => ({ model: name, version }));
}
