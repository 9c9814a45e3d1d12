import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './finding.js';

/** Past finds and hand-written odd cases: each is sent as it is in every run; messages and requests are changed, too. */
export interface Corpus {
  /** One message each. */
  frames: readonly Uint8Array[];
  /** Bytes behind the upgrade to a WebSocket. */
  websocket: readonly Uint8Array[];
  /** Bytes of a connection that speaks HTTP. */
  http: readonly Uint8Array[];
}

const FOLDER = join(import.meta.dirname, 'corpus');

export function readCorpus(): Corpus {
  return { frames: read('frames'), websocket: read('websocket'), http: read('http') };
}

function read(kind: keyof Corpus): Uint8Array[] {
  const folder = join(FOLDER, kind);
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

/** As files that may be copied into the corpus. */
export function writeFindings(folder: string, seed: number, findings: readonly Finding[]): void {
  findings.forEach(({ kind, sent }, i) => {
    if (sent.length === 0) return;
    mkdirSync(join(folder, kind), { recursive: true });
    writeFileSync(join(folder, kind, `seed-${seed}-${i}`), sent);
  });
}
