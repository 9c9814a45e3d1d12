import { readFileSync } from 'node:fs';
import { ownProcessorUs } from './own-time.js';
import { TICKS_PER_SECOND } from './processes.js';

/** How much other processes disturbed a measurement. */

/** Fields of the first line of /proc/stat, after `cpu`: user, nice, system, irq, softirq, steal. */
const BUSY_FIELDS = [0, 1, 2, 5, 6, 7];
const IDLE_FIELDS = [3, 4];
/** Below this share of all cores nobody needs to know. */
const WORTH_TELLING = 0.03;

export class DisturbanceMeter {
  readonly #start = sample();

  /**
   * The share of all cores that others took since this was made. All children of this process must
   * have ended.
   */
  othersShare(): number {
    const end = sample();
    const busyUs = end.busyUs - this.#start.busyUs;
    const totalUs = busyUs + end.idleUs - this.#start.idleUs;
    return Math.max(0, (busyUs - (end.ownUs - this.#start.ownUs)) / totalUs);
  }

  /** A remark for the report, if there is one to make. */
  notes(): string[] {
    const share = this.othersShare();
    if (share < WORTH_TELLING) return [];
    return [`disturbed: others took ${Math.round(share * 100)} % of the machine`];
  }
}

function sample(): { busyUs: number; idleUs: number; ownUs: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const ticks = line.split(/\s+/).slice(1).map(Number);
  const us = (fields: readonly number[]) =>
    (fields.reduce((sum, field) => sum + (ticks[field] ?? 0), 0) / TICKS_PER_SECOND) * 1e6;
  return { busyUs: us(BUSY_FIELDS), idleUs: us(IDLE_FIELDS), ownUs: ownProcessorUs() };
}
