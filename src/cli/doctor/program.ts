import { BUILD_ADDON_COMMAND, loadBinding } from '../../native/binding.js';
import type { LibraryReport } from '../../worker/library-report.js';
import { packageJson } from '../package-json.js';
import { fail, ok, type Check } from './check.js';

/** Node.js, Warmswap and what is compiled. */

export function checkNode(version: string, minimum: string): Check {
  const found = version.replace(/^v/, '');
  return isAtLeast(found, minimum)
    ? ok('Node.js', found)
    : fail('Node.js', `${found}, older than ${minimum}`, `install Node.js ${minimum} or newer`);
}

/** Versions as numbers with points between them; what is missing counts as 0. */
export function isAtLeast(version: string, minimum: string): boolean {
  const wanted = minimum.split('.').map(Number);
  const found = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const different = wanted.findIndex((number, i) => (found[i] ?? 0) !== number);
  return different < 0 || (found[different] ?? 0) > (wanted[different] ?? 0);
}

export function checkProgram(): Check[] {
  const { version, engines } = packageJson();
  return [
    ok('Warmswap', version),
    checkNode(process.versions.node, engines.node.replace('>=', '')),
    checkAddon(),
  ];
}

function checkAddon(): Check {
  try {
    loadBinding();
    return ok('addon', 'built, loads');
  } catch (error) {
    return fail('addon', (error as Error).message, `run "${BUILD_ADDON_COMMAND}"`);
  }
}

/** `ortLibrary` is what the configuration names, if it names one. */
export function checkLibrary(library: LibraryReport, ortLibrary: string | undefined): Check {
  if ('problem' in library) {
    const remedy =
      ortLibrary === undefined
        ? 'run "npm ci" in Warmswap\'s folder'
        : 'let ortLibrary name a libonnxruntime.so of 1.21 or newer, or leave it out';
    return fail('ONNX Runtime', library.problem, remedy);
  }
  const { path, version, providers } = library;
  const names = providers.map((name) => name.replace('ExecutionProvider', ''));
  return ok('ONNX Runtime', `${version} with ${names.join(', ')}, ${path}`, {
    ...{ version, path, providers },
  });
}
