import type { WorkerReport } from '../worker/messages.js';
import type { WorkerProcess } from './worker-process.js';

interface PendingReport {
  worker: number;
  finish(report?: WorkerReport): void;
}

const REPORT_TIMEOUT_MS = 2_000;

/** Asks workers for what they say of themselves. */
export class WorkerReports {
  readonly #pending = new Map<number, PendingReport>();
  #last = 0;

  /** Nothing if the worker cannot answer, or does not in time. */
  ask(worker: WorkerProcess): Promise<WorkerReport | undefined> {
    if (worker.state === 'starting' || worker.hasEnded) return Promise.resolve(undefined);
    const request = ++this.#last;
    return new Promise((resolve) => {
      const finish = (report?: WorkerReport) => {
        clearTimeout(timer);
        this.#pending.delete(request);
        resolve(report);
      };
      const timer = setTimeout(finish, REPORT_TIMEOUT_MS);
      this.#pending.set(request, { worker: worker.id, finish });
      worker.send({ type: 'report', request });
    });
  }

  onReport(request: number, report: WorkerReport): void {
    this.#pending.get(request)?.finish(report);
  }

  onGone(worker: number): void {
    for (const report of this.#pending.values()) if (report.worker === worker) report.finish();
  }
}
