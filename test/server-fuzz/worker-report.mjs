// Loaded into the daemon's processes before anything else: SIGUSR2 collects all garbage, then writes how
// long the event loop stood still at most since the last time to FUZZ_REPORTS/<pid>.json.
import '../../bench/lib/collect-garbage.mjs';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

const delay = monitorEventLoopDelay();
delay.enable();

process.on('SIGUSR2', () => setImmediate(report));

function report() {
  const file = join(process.env.FUZZ_REPORTS, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ longestStallMs: delay.max / 1e6 }));
  renameSync(`${file}.new`, file);
  delay.reset();
}
