import { buildLoadGenerator } from './lib/build-load-generator.js';
import { big, convolutional, mid, otherMid, tiny, transformer } from './lib/models.js';
import { PEERS } from './peers/index.js';

/** `npm run bench -- prepare`: makes what the first run would make, so that it need not. */
export function prepare(): void {
  buildLoadGenerator();
  for (const ensure of [tiny, mid, otherMid, transformer, convolutional]) ensure();
  for (const quick of [true, false]) big({ quick });
  for (const peer of PEERS) console.log(`${peer.name}: ${peer.problem() ?? 'ready'}`);
}
