// Takes the headers out of ONNX Runtime's own release archive.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture } from './command.mjs';
import { makeAtomically } from './temporary-folder.mjs';

// The headers are the same for every architecture, and work with every newer library.
export const PINNED_RELEASE = {
  version: '1.22.0',
  folder: 'onnxruntime-linux-x64-1.22.0',
  url: 'https://github.com/microsoft/onnxruntime/releases/download/v1.22.0/onnxruntime-linux-x64-1.22.0.tgz',
  sha256: '8344d55f93d5bc5021ce342db50f62079daf39aaafb5d311a451846228be49b3',
};

/**
 * Downloads the release and extracts its `include` folder to `into`/include.
 * Throws an Error with a short reason if the download fails or is not the pinned file.
 */
export async function extractReleaseHeaders({ into, release = PINNED_RELEASE }) {
  await makeAtomically(into, async (folder) => {
    const archive = join(folder, 'release.tgz');
    await writeFile(archive, await downloadChecked(release));
    const extracted = join(folder, 'extracted');
    await mkdir(extracted);
    const what = ['--no-same-owner', '--wildcards', '*/include/*'];
    const { ok } = await capture('tar', ['-xzf', archive, '-C', extracted, ...what]);
    if (!ok) throw new Error('tar could not extract it');
    return join(extracted, release.folder);
  });
}

async function downloadChecked({ url, sha256 }) {
  const bytes = await download(url);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sha256) throw new Error(`its SHA-256 is ${actual}, not the pinned one`);
  return bytes;
}

async function download(url) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`download failed: ${error.cause?.code ?? error.message}`);
  }
}
