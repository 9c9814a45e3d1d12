import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * The artifacts: immutable, content-addressed forms of model versions that workers map. An artifact
 * is a folder that appears whole, by renaming, or not at all, so several packers and daemons may
 * share one store.
 */

/** Raised when what packers write changes, so that older artifacts are made again. */
const FORMAT = 2;

/** What an artifact is made from, and for. It does not depend on the threads of those who load it. */
export interface ArtifactSource {
  /** SHA-256 over the version's files, in hexadecimal. */
  sha256: string;
  /** Names the build: other builds of the same version may have other kernels. */
  onnxRuntime: string;
  device: string;
  /** Names the processor model and its instruction sets: prepacked weights depend on them. */
  cpu: string;
}

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  key: z.string(),
  source: z.object({
    sha256: z.string(),
    onnxRuntime: z.string(),
    device: z.string(),
    cpu: z.string(),
  }),
  /** `prepacked`: weights shared at full speed; `external`: shared; `inline`: too small to share. */
  form: z.enum(['prepacked', 'external', 'inline']),
  /** Why it is not prepacked, where it is not. */
  reason: z.string().optional(),
  /** Bytes of all its files. */
  bytes: z.number(),
  sourceBytes: z.number(),
  /** Memory that one session of it takes for itself, measured while packing; and with loading. */
  privateBytes: z.number(),
  loadBytes: z.number(),
  /** By which factor its runs take longer while its packed weights are not used; 0: not measured. */
  unpackedSlowdown: z.number(),
  packSeconds: z.number(),
  createdAt: z.string(),
});

export type ArtifactManifest = z.infer<typeof manifestSchema>;
/** What the packer adds to the manifest. */
export type PackedForm = Pick<
  ArtifactManifest,
  | 'form'
  | 'reason'
  | 'bytes'
  | 'sourceBytes'
  | 'privateBytes'
  | 'loadBytes'
  | 'unpackedSlowdown'
  | 'packSeconds'
>;

export interface Artifact {
  /** Absolute path of model.onnx. */
  modelPath: string;
  manifest: ArtifactManifest;
}

export interface Collection {
  /** Keys of artifacts that are served. */
  keep: ReadonlySet<string>;
  maxBytes: number;
}

const TEMPORARY = /^\.packing-(\d+)-/;
const KEY = /^[0-9a-f]{40}$/;

export function artifactKey(source: ArtifactSource): string {
  const { sha256, onnxRuntime, device, cpu } = source;
  const identity = JSON.stringify([FORMAT, sha256, onnxRuntime, device, cpu]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 40);
}

export class ArtifactStore {
  constructor(readonly directory: string) {}

  /** The artifact with this key, marked as used now; nothing if there is none that is whole. */
  async find(key: string): Promise<Artifact | undefined> {
    const folder = join(this.directory, key);
    const manifest = await readManifest(folder);
    if (manifest?.key !== key || !existsSync(join(folder, 'model.onnx'))) return undefined;
    const now = new Date();
    await utimes(join(folder, 'manifest.json'), now, now).catch(() => {});
    return { modelPath: join(folder, 'model.onnx'), manifest };
  }

  /**
   * Makes an artifact: `pack` fills a temporary folder, which is then renamed into place. If another
   * packer was faster, its artifact is given. Nothing is left behind when `pack` rejects.
   */
  async create(
    source: ArtifactSource,
    pack: (folder: string) => Promise<PackedForm>,
  ): Promise<Artifact> {
    const key = artifactKey(source);
    const temporary = join(this.directory, `.packing-${process.pid}-${randomUUID()}`);
    await mkdir(temporary, { recursive: true });
    try {
      const form = await pack(temporary);
      const createdAt = new Date().toISOString();
      await writeManifest(temporary, { format: FORMAT, key, source, ...form, createdAt });
      await this.#publish(temporary, key);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const artifact = await this.find(key);
    if (!artifact) throw new Error(`the artifact ${key} is not readable after packing`);
    return artifact;
  }

  /**
   * Removes what killed packers left, and the artifacts longest unused until the rest has at most
   * `maxBytes`; those that are kept stay in any case. Gives the bytes that are left.
   */
  async collect({ keep, maxBytes }: Collection): Promise<number> {
    const names = await readdir(this.directory).catch(() => []);
    await Promise.all(names.filter(isAbandoned).map((name) => this.#remove(name)));
    const stored = await Promise.all(
      names.filter((name) => KEY.test(name)).map((key) => this.#usage(key)),
    );
    let bytes = stored.reduce((sum, artifact) => sum + artifact.bytes, 0);
    for (const artifact of stored.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= maxBytes) break;
      if (keep.has(artifact.key)) continue;
      await this.#remove(artifact.key);
      bytes -= artifact.bytes;
    }
    return bytes;
  }

  async #publish(temporary: string, key: string): Promise<void> {
    const target = join(this.directory, key);
    try {
      await rename(temporary, target);
    } catch (error) {
      const isThere = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isThere) throw error;
      if (await this.find(key)) return;
      // What lies there is damaged: it goes, and ours takes its place.
      await this.#remove(key);
      await rename(temporary, target);
    }
    await syncFolder(this.directory);
  }

  async #usage(key: string): Promise<{ key: string; bytes: number; usedAt: number }> {
    const folder = join(this.directory, key);
    const file = await stat(join(folder, 'manifest.json')).catch(() => null);
    const manifest = await readManifest(folder);
    return { key, bytes: manifest?.bytes ?? 0, usedAt: file?.mtimeMs ?? 0 };
  }

  /** Renamed first, so that nobody finds it half removed. */
  async #remove(name: string): Promise<void> {
    const doomed = join(this.directory, `.packing-${process.pid}-${randomUUID()}`);
    await rename(join(this.directory, name), doomed).catch(() => {});
    await rm(doomed, { recursive: true, force: true });
  }
}

/** Whether this is the temporary folder of a packer that has ended. */
function isAbandoned(name: string): boolean {
  const pid = TEMPORARY.exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

async function readManifest(folder: string): Promise<ArtifactManifest | undefined> {
  try {
    const text = await readFile(join(folder, 'manifest.json'), 'utf8');
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function writeManifest(folder: string, manifest: ArtifactManifest): Promise<void> {
  const path = join(folder, 'manifest.json');
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}
