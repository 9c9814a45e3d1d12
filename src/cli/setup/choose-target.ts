import { homedir } from 'node:os';
import { join } from 'node:path';
import { WarmswapError } from '../../rpc/errors.js';
import type { OpenedLibrary } from '../../worker/library-report.js';

/** What is known of a package that was unpacked. */
export interface PackageFacts {
  /** How people call it. */
  source: string;
  /** As its description tells; its core, which is measured, is believed more. */
  version?: string | undefined;
  core?: OpenedLibrary | undefined;
}

/** `beside`: the provider goes beside the library in use; `whole`: it comes with another ONNX Runtime. */
export type Target = { kind: 'beside' | 'whole'; version: string };

const CUDA = 'CUDAExecutionProvider';

/**
 * Decides where a package goes: provider and core have to be of one build. Throws FAILED_PRECONDITION
 * where it fits nowhere.
 */
export function chooseTarget(
  library: OpenedLibrary,
  { source, version, core }: PackageFacts,
): Target {
  const found = core?.version ?? version;
  if (found === undefined) {
    throw refusal(
      `${source} tells nothing of its version, and the provider must be of the same build as ` +
        `ONNX Runtime ${library.version}; take a wheel, a jar, NuGet's package or a release archive`,
    );
  }
  if (found === library.version) return { kind: 'beside', version: found };
  if (!core) {
    throw refusal(
      `${source} is of ONNX Runtime ${found}, without ONNX Runtime itself, and the one in use is ` +
        `${library.version} (${library.path}): the provider must be of the same build`,
    );
  }
  if (!core.providers.includes(CUDA)) {
    throw refusal(`the ONNX Runtime ${found} of ${source} is built without the CUDA provider`);
  }
  return { kind: 'whole', version: found };
}

/** Where a whole other ONNX Runtime goes: the user's data folder, as the XDG specification has it. */
export function defaultFolder(version: string, environment: NodeJS.ProcessEnv): string {
  const data = environment.XDG_DATA_HOME ?? '';
  const folder = data.startsWith('/') ? data : join(homedir(), '.local', 'share');
  return join(folder, 'warmswap', `onnxruntime-${version}-cuda`);
}

function refusal(reason: string): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', reason);
}
