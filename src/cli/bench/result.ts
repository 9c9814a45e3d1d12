import type { ErrorCode } from '../../rpc/codes.js';
import type { Distribution } from './histogram.js';
import type { LoadEnd } from './load.js';
import type { ErrorCount, Recording } from './recording.js';

/** What `warmswap bench --json` prints. Times are in microseconds, unless their name says otherwise. */
export interface BenchResult {
  model: string;
  url: string;
  /** Closed: `concurrency` requests at a time. Open: `ratePerSecond`. */
  loop: { kind: 'closed'; concurrency: number } | { kind: 'open'; ratePerSecond: number };
  connections: number;
  /** From the first request until the last answer, without the warm-up. */
  seconds: number;
  /** Answered with a result or an error, or lost. */
  requests: number;
  succeeded: number;
  failed: number;
  /** Were due, and never sent: every connection was full. */
  unsent: number;
  /** Had no answer when the load ended. */
  unanswered: number;
  /** Connections that ended. */
  disconnects: number;
  errors: Partial<Record<ErrorCode, ErrorCount>>;
  /** Requests that succeeded, by the version that answered. */
  versions: Record<string, number>;
  /** Those that succeeded. */
  requestsPerSecond: number;
  /** Of those that succeeded; counted from when a request was due in an open loop. */
  latencyUs: Distribution | null;
  /** As the daemon tells it. */
  queueUs: Distribution | null;
  computeUs: Distribution | null;
  /** Requests in a run of the model. */
  meanBatchSize: number | null;
  client: {
    /** Share of the time that this process' event loop was busy. */
    eventLoopUtilization: number;
    /** It was this client that was measured, more than the daemon. */
    isBottleneck: boolean;
    /** From when a request was due until it was sent; of an open loop. */
    sendDelayUs: Distribution | null;
  };
}

export type BenchSubject = Pick<BenchResult, 'model' | 'url' | 'loop' | 'connections'>;

const BUSY_CLIENT = 0.9;
/** A shorter load tells nothing of the client. */
const SHORTEST_JUDGED_SECONDS = 0.1;

export function toResult(
  subject: BenchSubject,
  recording: Recording,
  { elapsedMs, unsent, unanswered }: LoadEnd,
  client: { disconnects: number; eventLoopUtilization: number },
): BenchResult {
  const { succeeded, failed, errors, versions } = recording;
  const { disconnects, eventLoopUtilization } = client;
  const seconds = elapsedMs / 1e3;
  return {
    ...subject,
    seconds: rounded(seconds, 6),
    requests: succeeded + failed,
    succeeded,
    failed,
    unsent,
    unanswered,
    disconnects,
    errors: Object.fromEntries(errors),
    versions: Object.fromEntries(versions),
    requestsPerSecond: seconds > 0 ? rounded(succeeded / seconds, 3) : 0,
    latencyUs: recording.latency.distribution(),
    queueUs: recording.queue.distribution(),
    computeUs: recording.compute.distribution(),
    meanBatchSize: recording.meanBatchSize,
    client: {
      eventLoopUtilization: rounded(eventLoopUtilization, 3),
      isBottleneck: seconds >= SHORTEST_JUDGED_SECONDS && eventLoopUtilization > BUSY_CLIENT,
      sendDelayUs: recording.sendDelay.distribution(),
    },
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
