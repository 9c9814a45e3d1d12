import { RawHttp, type RawResponse } from '../support/raw-http.js';
import { within } from '../support/until.js';
import type { BodySource, HttpRequest } from './bodies.js';

export interface HttpFuzzReport {
  requests: number;
  statuses: Map<number, number>;
  findings: HttpFinding[];
}

export interface HttpFinding {
  what: string;
  request: Uint8Array;
}

/** Neither a failure of the server nor anything that the contract does not have. */
const STATUSES = new Set([200, 400, 404, 413, 429]);
const MOST_FINDINGS = 20;
const PATIENCE_MS = 20_000;

/** Sends bodies over one connection after another until `isOver`. */
export async function fuzzHttp(
  base: string,
  source: BodySource,
  report: HttpFuzzReport,
  isOver: () => boolean,
): Promise<void> {
  let http = await RawHttp.connect(base);
  while (!isOver() && report.findings.length < MOST_FINDINGS) {
    const request = source.next();
    report.requests++;
    http.write(request.bytes);
    const problem = await within(PATIENCE_MS, http.next()).then(
      (response) => problemOf(request, response, report),
      String,
    );
    if (problem === undefined) continue;
    report.findings.push({ what: problem, request: request.bytes });
    http.destroy();
    http = await RawHttp.connect(base);
  }
  http.destroy();
}

function problemOf(
  { isRight }: HttpRequest,
  { status, body }: RawResponse,
  report: HttpFuzzReport,
): string | undefined {
  report.statuses.set(status, (report.statuses.get(status) ?? 0) + 1);
  const text = body.toString('latin1');
  if (!STATUSES.has(status)) return `answered with ${status}: ${text}`;
  if (isRight && status !== 429)
    return text.includes('[2,3,4,5]') ? undefined : `answered with ${text}`;
  if (status === 200) return undefined;
  return /^\{"error":".*"\}$/s.test(text) ? undefined : `an error that is none: ${text}`;
}
