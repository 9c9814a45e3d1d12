import { once } from 'node:events';
import { RawHttp, type RawResponse } from '../support/raw-http.js';
import { within } from '../support/until.js';
import type { BodySource, HttpRequest } from './bodies.js';
import { countIn, PATIENCE_MS, type Finding } from './finding.js';

export interface HttpFuzzReport {
  requests: number;
  statuses: Map<number, number>;
  /** Connections that were closed after what was broken, answered or not. */
  closes: number;
  findings: Finding[];
}

/** Neither a failure of the server nor anything that the contract does not have; 504 is a passed deadline. */
const STATUSES = new Set([200, 400, 404, 413, 429, 504]);
/** Also what changed heads may ask for: an upgrade, other methods and origins, what uWebSockets refuses itself. */
const BROKEN_STATUSES = new Set([
  ...STATUSES,
  100,
  101,
  204,
  403,
  405,
  408,
  411,
  426,
  431,
  501,
  505,
]);
/** A broken request comes after them, over a connection of its own. */
const REQUESTS_OF_A_CONNECTION = 20;
const MOST_FINDINGS = 20;
const REPLAY_MS = 200;

/** Sends requests over one connection after another. */
export class HttpFuzz {
  constructor(
    private readonly base: string,
    private readonly source: BodySource,
    /** Of requests that may be broken. */
    private readonly corpus: readonly Uint8Array[],
    private readonly report: HttpFuzzReport,
  ) {}

  async run(isOver: () => boolean): Promise<void> {
    const isEnough = () => isOver() || this.report.findings.length >= MOST_FINDINGS;
    while (!isEnough()) {
      await this.#on(async (http) => {
        for (let n = 0; n < REQUESTS_OF_A_CONNECTION && !isEnough(); n++) {
          if (!(await this.#ask(http, this.source.next()))) break;
        }
      });
      if (!isEnough()) await this.#sendBroken();
    }
  }

  /** A past find, with time for an answer. */
  replay(sent: Uint8Array): Promise<void> {
    return this.#sendOnce(sent, async ({ socket }) => {
      await within(REPLAY_MS, once(socket, 'data')).catch(() => {}); // what is not whole gets none
    });
  }

  async #sendBroken(): Promise<void> {
    await this.#sendOnce(this.source.broken(this.corpus), async () => {});
  }

  /** Whatever it is, whole answers come to it, and the connection is closed as no more can come. */
  async #sendOnce(sent: Uint8Array, wait: (http: RawHttp) => Promise<void>): Promise<void> {
    this.report.requests++;
    await this.#on(async (http) => {
      http.write(sent);
      await wait(http);
      http.socket.end();
      const problem = await within(PATIENCE_MS, http.closed).then(
        () => this.#problemOfAll(http, sent),
        () => 'not closed',
      );
      if (problem !== undefined) this.#find(problem, sent);
    });
    await this.probe();
  }

  /** Whether the server is well. */
  probe(): Promise<void> {
    return this.#on(async (http) => {
      await this.#ask(http, this.source.right());
    });
  }

  async #on(use: (http: RawHttp) => Promise<void>): Promise<void> {
    const http = await within(PATIENCE_MS, RawHttp.connect(this.base)).catch(String);
    if (typeof http === 'string') {
      this.#find(http, new Uint8Array());
      return;
    }
    try {
      await use(http);
    } finally {
      http.destroy();
    }
  }

  /** False if the connection is of no more use. */
  async #ask(http: RawHttp, request: HttpRequest): Promise<boolean> {
    this.report.requests++;
    http.write(request.bytes);
    const problem = await within(PATIENCE_MS, http.next()).then(
      (response) => this.#problemOf(request, response),
      String,
    );
    if (problem !== undefined) this.#find(problem, request.bytes);
    return problem === undefined;
  }

  async #problemOfAll(http: RawHttp, sent: Uint8Array): Promise<string | undefined> {
    const isHead = Buffer.from(sent.subarray(0, 5)).equals(Buffer.from('HEAD '));
    while (http.hasReceived) {
      const response = await http.next({ isHead }).catch(String);
      if (typeof response === 'string') return response;
      const { status } = response;
      countIn(this.report.statuses, status);
      if (!BROKEN_STATUSES.has(status)) return `answered with ${status}`;
      if (status === 101 || isHead) return undefined;
      const isJson = response.headers.get('content-type') === 'application/json';
      const answer = isJson && parsed(response.body.toString());
      if (isJson && (answer === undefined || (status >= 400 && !isError(answer))))
        return `answered with ${status}: ${response.body.toString()}`;
    }
    this.report.closes++;
    return undefined;
  }

  #problemOf(
    { expected }: HttpRequest,
    { status, headers, body }: RawResponse,
  ): string | undefined {
    countIn(this.report.statuses, status);
    const text = body.toString();
    if (!STATUSES.has(status)) return `answered with ${status}: ${text}`;
    if (expected && status !== 200) return `a right request was answered with ${status}: ${text}`;
    const header = headers.get('inference-header-content-length');
    const answer = parsed(header === undefined ? text : body.toString('latin1', 0, Number(header)));
    const isRight = status === 200 ? isResult(answer, expected) : isError(answer);
    return isRight ? undefined : `answered with ${status}: ${text}`;
  }

  #find(what: string, sent: Uint8Array): void {
    this.report.findings.push({ what, kind: 'http', sent });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isError(answer: unknown): boolean {
  const { error, ...others } = (answer ?? {}) as Record<string, unknown>;
  return typeof error === 'string' && error !== '' && Object.keys(others).length === 0;
}

function isResult(answer: unknown, expected: HttpRequest['expected']): boolean {
  const { id, outputs } = (answer ?? {}) as { id?: unknown; outputs?: { data?: unknown }[] };
  if (!Array.isArray(outputs)) return false;
  return !expected || (id === expected.id && String(outputs[0]?.data) === String(expected.y));
}
