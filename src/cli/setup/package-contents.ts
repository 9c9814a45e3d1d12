import { posix } from 'node:path';
import { WarmswapError } from '../../rpc/errors.js';
import { CUDA_PROVIDER } from '../../supervisor/device/cuda-provider.js';

/** What is wanted of a package of ONNX Runtime with CUDA, and what is let into a folder of ours. */

export const SHARED_PROVIDER = 'libonnxruntime_providers_shared.so';
/** Of one build; the second one opens the first. */
export const PROVIDER_FILES = [SHARED_PROVIDER, CUDA_PROVIDER] as const;

const GIBIBYTE = 2 ** 30;
const MOST_FILE_BYTES = 4 * GIBIBYTE;
const MOST_BYTES = 8 * GIBIBYTE;
const MOST_TEXT_BYTES = 2 ** 20;
const MOST_ENTRIES = 100_000;
const CORE = /^libonnxruntime\.so(\.\d+)*$/;

/** Where packages tell their version, by path; the first group is the version. */
const VERSION_TEXTS: readonly { path: RegExp; version: RegExp }[] = [
  { path: /(^|\/)VERSION_NUMBER$/, version: /^\s*(\d\S*)/ },
  { path: /(^|\/)onnxruntime[^/]*\.dist-info\/METADATA$/, version: /^Version:\s*(\S+)/m },
  {
    path: /(^|\/)capi\/build_and_package_info\.py$/,
    version: /^__version__\s*=\s*['"]([^'"]+)/m,
  },
  { path: /^[^/]*onnxruntime[^/]*\.nuspec$/i, version: /<version>\s*([^<\s]+)/i },
];

/** ONNX Runtime itself. */
export function isCore(path: string): boolean {
  return CORE.test(posix.basename(path));
}

export function isVersionText(path: string): boolean {
  return VERSION_TEXTS.some((known) => known.path.test(path));
}

export function isWanted(path: string): boolean {
  const name = posix.basename(path);
  return isCore(path) || isVersionText(path) || PROVIDER_FILES.some((wanted) => wanted === name);
}

/** The version that a file of the package tells, if it tells one. */
export function versionIn(path: string, text: string): string | undefined {
  return VERSION_TEXTS.find((known) => known.path.test(path))?.version.exec(text)?.[1];
}

export interface PackageEntry {
  /** As the package has it, with slashes. */
  path: string;
  /** `other`: a link, a folder, a device … */
  kind: 'file' | 'folder' | 'link' | 'other';
  bytes: number;
}

/** Decides entry by entry what is unpacked, and bounds it. One for each package. */
export class EntryFilter {
  #entries = 0;
  #bytes = 0;

  constructor(private readonly source: string) {}

  /** Whether the entry is wanted. Throws FAILED_PRECONDITION for what no package should have. */
  admits({ path, kind, bytes }: PackageEntry): boolean {
    if (++this.#entries > MOST_ENTRIES) throw this.#refusal(`more than ${MOST_ENTRIES} entries`);
    if (leadsOutside(path)) throw this.#refusal(`the entry '${path}', which leads out of it`);
    if (kind === 'folder' || !isWanted(path)) return false;
    if (kind !== 'file') return this.#skipLink(path);
    const most = isVersionText(path) ? MOST_TEXT_BYTES : MOST_FILE_BYTES;
    this.#bytes += bytes;
    if (bytes > most || this.#bytes > MOST_BYTES)
      throw this.#refusal(`'${path}' of ${bytes} bytes`);
    return true;
  }

  /** Release archives have the core under several names; the other files have no reason to be links. */
  #skipLink(path: string): false {
    if (isCore(path)) return false;
    throw this.#refusal(`'${path}' as a link; expected a file`);
  }

  #refusal(what: string): WarmswapError {
    return new WarmswapError('FAILED_PRECONDITION', `${this.source} is refused: it has ${what}`);
  }
}

function leadsOutside(path: string): boolean {
  return posix.isAbsolute(path) || path.includes('\0') || path.split(/[/\\]/).includes('..');
}
