import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { OPEN, type Grant } from '../../access/grant.js';
import type { CancelSlot, EngineResult } from '../../native/engine.js';
import type { ServedModel } from '../../registry/model-set.js';
import type { Registry } from '../../registry/registry.js';
import type { Version } from '../../registry/version.js';
import { WarmswapError } from '../../rpc/errors.js';
import { clientOf } from '../client-name.js';
import type { Gate } from '../gate.js';
import type { RateLimit } from '../rate-limit.js';
import { setFor, versionsFor } from '../visible.js';
import type { LimitCounts } from '../../telemetry/limit-counts.js';
import { QuietPeriod } from '../quiet-period.js';
import { Body, BodyBudget, refuseTooLong } from './body.js';
import { crossOriginHeaders, preflightReply } from './cross-origin.js';
import { Exchange } from './exchange.js';
import { HttpError, jsonReply, type Reply } from './http-error.js';
import { parseInferRequest, type HttpInferRequest } from './infer-request.js';
import { inferReply, refuseUnanswerable } from './infer-response.js';
import { modelMetadata, serverMetadata } from './metadata.js';
import { parsePath, type ModelResource, type Resource } from './path.js';
import { parseRawRequest } from './raw-request.js';
import { versionStatistics } from './statistics.js';

/** What the HTTP side needs of the data plane it belongs to. */
export interface HttpContext {
  readonly registry: Registry;
  readonly maxMessageBytes: number;
  /** Every answer is the last one of its connection. */
  readonly draining: boolean;
  /** Who may come in. */
  readonly gate: Gate;
  /** A connection may be used again. */
  readonly keepsConnections: boolean;
  /** How long a body may take to arrive. */
  readonly bodyTimeoutMs: number;
  readonly limited: LimitCounts;
  /** None: requests may come as fast as they like. */
  readonly rateLimit: RateLimit | undefined;
  /** To be called behind each body that may have taken long. */
  onProgress(): void;
  /** Called when nothing is in flight over HTTP any more. */
  onIdle(): void;
}

/** Connections on which nothing comes for so long are closed in a drain. */
const LINGER_MS = 200;

/** A request for an inference, whose body is whole. */
interface Inference {
  exchange: Exchange;
  resource: ModelResource;
  body: Uint8Array;
  headerLength: number | undefined;
  grant: Grant;
  /** When the body was whole, by the monotonic clock. */
  arrived: number;
  /** Of a request that has waited, if it has none of its own; counts from its arrival. */
  deadlineMs?: number | undefined;
}

/** Messages of the greatest length that may be on their way at once. */
const MOST_BODIES = 8;

/** The Open Inference Protocol over HTTP, and the answer to every other path of the port. */
export class InferenceHttp {
  readonly #budget: BodyBudget;
  #inflight = 0;
  /** Requests whose answers have not left, those included whose body is still to come. */
  #open = 0;
  /** Since the drain began. */
  #quiet: QuietPeriod | undefined;

  constructor(private readonly context: HttpContext) {
    this.#budget = new BodyBudget(context.maxMessageBytes * MOST_BODIES);
  }

  /** Inferences under way. */
  get inflight(): number {
    return this.#inflight;
  }

  /** It drains, and nothing has come for a moment: connections that are open still are idle. */
  get isDrained(): boolean {
    return this.#quiet?.isOver === true;
  }

  /** Requests that come on open connections are served; `onIdle` tells when none come any more. */
  drain(): void {
    const goesOn = () => this.#open + this.#inflight > 0;
    this.#quiet ??= new QuietPeriod(LINGER_MS, goesOn, () => this.context.onIdle());
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#quiet?.close();
  }

  addTo(app: TemplatedApp): void {
    app.any('/*', (response, request) => this.#onRequest(response, request));
  }

  #onRequest(response: HttpResponse, request: HttpRequest): void {
    const method = request.getMethod().toUpperCase();
    const { gate } = this.context;
    const exchange = this.#begin(response, method);
    try {
      const path = request.getUrl();
      const origin = gate.requireOrigin(request);
      exchange.headers = crossOriginHeaders(origin);
      if (origin !== '' && method === 'OPTIONS') return exchange.send(preflightReply());
      const grant = isPublic(path) ? OPEN : this.#admit(request, response);
      const isModel = (name: string) =>
        grant.allows(name) && this.context.registry.current.models.has(name);
      const resource = parsePath(path, isModel);
      if (!resource || !isProbe(resource)) this.#count(grant, response);
      if (!resource) {
        const isUpgrade = request.getHeader('upgrade') !== '';
        throw new HttpError(404, `there is no ${method} ${path}${whereToGo(path, isUpgrade)}`);
      }
      refuseMethod(method, resource, path);
      if (resource.kind === 'infer') this.#receive(exchange, response, request, resource, grant);
      else exchange.send(this.#read(resource, grant));
    } catch (error) {
      exchange.refuse(error);
    } finally {
      this.context.onProgress();
    }
  }

  /** What fails counts as well, by the address: tokens must not be guessed at any speed. */
  #admit(request: HttpRequest, response: HttpResponse): Grant {
    try {
      return this.context.gate.admit(request);
    } catch (error) {
      this.#count(OPEN, response);
      throw error;
    }
  }

  #count(grant: Grant, response: HttpResponse): void {
    this.context.rateLimit?.admit(clientOf(grant, response.getRemoteAddress()));
  }

  #begin(response: HttpResponse, method: string): Exchange {
    this.#open++;
    this.#quiet?.restart();
    const onEnd = () => {
      this.#open--;
      this.#quiet?.restart();
    };
    return new Exchange(response, {
      isHead: method === 'HEAD',
      isClosing: () => !this.context.keepsConnections,
      onEnd,
      onSlowReader: () => this.context.limited.slowReaders++,
    });
  }

  #read(resource: Exclude<Resource, { kind: 'infer' }>, grant: Grant): Reply {
    const { draining, registry } = this.context;
    switch (resource.kind) {
      case 'rpc':
        throw new HttpError(426, 'GET /rpc: expected a WebSocket upgrade', [
          ['Upgrade', 'websocket'],
        ]);
      case 'server':
        return jsonReply(serverMetadata());
      case 'live':
        return jsonReply({ live: true });
      case 'ready':
        return jsonReply({ ready: !draining }, draining ? 503 : 200);
      case 'allStatistics':
        return statistics(versionsFor(grant, registry.current));
      default:
        return this.#readModel(resource, grant);
    }
  }

  #readModel({ kind, model: name, version }: ModelResource, grant: Grant): Reply {
    const { draining, registry } = this.context;
    const chosen = setFor(grant, registry.current, name).resolve(name, version);
    const model = registry.current.models.get(name) as ServedModel;
    if (kind === 'metadata') return jsonReply(modelMetadata(model, chosen));
    if (kind === 'modelReady') {
      const ready = !draining && !chosen.isAway;
      return jsonReply({ name, ready }, ready ? 200 : 503);
    }
    return statistics(version === undefined ? [...model.versions.values()] : [chosen]);
  }

  #receive(
    exchange: Exchange,
    response: HttpResponse,
    request: HttpRequest,
    resource: ModelResource,
    grant: Grant,
  ): void {
    const { maxMessageBytes } = this.context;
    grant.require(resource.model);
    refuseTooLong(Number(request.getHeader('content-length')), maxMessageBytes);
    refuseEncoding(request.getHeader('content-encoding'));
    const headerLength = parseHeaderLength(request.getHeader('inference-header-content-length'));
    const body = new Body(maxMessageBytes, this.#budget);
    let patience: NodeJS.Timeout | undefined;
    const release = () => {
      clearTimeout(patience);
      body.release();
    };
    exchange.onAborted = release;
    response.onData((chunk, isLast) => {
      if (!exchange.isOpen) return;
      try {
        const whole = body.push(new Uint8Array(chunk), isLast);
        if (!whole) {
          patience ??= setTimeout(
            () => this.#giveUp(exchange, release),
            this.context.bodyTimeoutMs,
          );
          return;
        }
        const arrived = performance.now();
        this.#infer({ exchange, resource, body: whole, headerLength, arrived, grant });
        release();
      } catch (error) {
        release();
        exchange.refuse(error);
      } finally {
        this.context.onProgress();
      }
    });
  }

  #giveUp(exchange: Exchange, release: () => void): void {
    release();
    this.context.limited.slowBodies++;
    const { bodyTimeoutMs } = this.context;
    exchange.refuse(new HttpError(408, `body: expected it whole within ${bodyTimeoutMs} ms`));
  }

  /** The body is not needed any more when this returns. Throws what is wrong with it. */
  #infer(inference: Inference): void {
    const { exchange, resource, body, headerLength, grant } = inference;
    const { model, version } = resource;
    const chosen = setFor(grant, this.context.registry.current, model).choose(model, version);
    const { signature } = chosen;
    const request =
      headerLength === 0
        ? parseRawRequest(body, signature.inputs)
        : parseInferRequest(body, headerLength);
    refuseUnanswerable(request, signature.outputs);
    refusePriority(request, chosen);
    const slot: CancelSlot = {};
    exchange.onAborted = () => slot.cancel?.();
    if (chosen.isAway) this.#inferLater(inference, chosen, request, slot);
    else this.#answer(exchange, request, chosen, run(chosen, request, inference, slot));
  }

  /** Once a version that is away is replaced or back. */
  #inferLater(
    inference: Inference,
    away: Version,
    { timeoutMs }: HttpInferRequest,
    slot: CancelSlot,
  ): void {
    const { exchange, arrived } = inference;
    const body = new Uint8Array(inference.body);
    const deadlineMs = timeoutMs ?? away.plan.options.deadlineMs;
    const left = deadlineMs === undefined ? undefined : deadlineMs - (performance.now() - arrived);
    this.#inflight++;
    void this.context.registry
      .returned(away, left, slot)
      .then(() => {
        if (exchange.isOpen) this.#infer({ ...inference, body, deadlineMs });
      })
      .catch((error: unknown) => exchange.refuse(error))
      .finally(() => this.#inflight--);
  }

  #answer(
    exchange: Exchange,
    request: HttpInferRequest,
    { name: model, number: version, signature }: Version,
    result: Promise<EngineResult>,
  ): void {
    this.#inflight++;
    const names = request.outputs ?? signature.outputs.map(({ name }) => name);
    void result
      .then(({ outputs }) => {
        if (exchange.isOpen) exchange.send(inferReply(request, { model, version, names, outputs }));
      })
      .catch((error: unknown) => exchange.refuse(error))
      .finally(() => this.#inflight--);
  }
}

/** For those who know the port alone. */
function whereToGo(path: string, isUpgrade: boolean): string {
  if (isUpgrade) return ': RPC is at /rpc';
  return path === '/' ? ': RPC is at /rpc, the Open Inference Protocol at /v2' : '';
}

/** Probes bring no token. */
function isPublic(path: string): boolean {
  return path.startsWith('/v2/health/');
}

/** Starts the run, with what is left of its time. */
function run(
  version: Version,
  { inputs, outputs, priority, timeoutMs: ownTimeoutMs }: HttpInferRequest,
  { arrived, deadlineMs: inheritedMs }: Inference,
  slot: CancelSlot,
): Promise<EngineResult> {
  const timeoutMs = ownTimeoutMs ?? inheritedMs;
  if (timeoutMs === undefined) return version.infer({ inputs, outputs, priority }, slot);
  const deadlineMs = timeoutMs - (performance.now() - arrived);
  if (deadlineMs > 0) return version.infer({ inputs, outputs, priority, deadlineMs }, slot);
  throw new WarmswapError(
    'DEADLINE_EXCEEDED',
    `the timeout of ${timeoutMs} ms passed before the request could run`,
  );
}

function statistics(versions: readonly Version[]): Reply {
  const loaded = versions.filter(({ isAway }) => !isAway);
  const model_stats = loaded.map(({ name, number, model }) =>
    versionStatistics(name, number, model.stats()),
  );
  return jsonReply({ model_stats });
}

/** Whoever watches over the daemon must be answered whatever else comes from there. */
function isProbe({ kind }: Resource): boolean {
  return kind === 'live' || kind === 'ready';
}

function refuseMethod(method: string, { kind }: Resource, path: string): void {
  const allowed = kind === 'infer' ? ['POST'] : ['GET', 'HEAD'];
  if (allowed.includes(method)) return;
  throw new HttpError(405, `${path}: expected ${allowed.join(' or ')}, got ${method}`, [
    ['Allow', allowed.join(', ')],
  ]);
}

function refuseEncoding(encoding: string): void {
  if (encoding === '' || encoding.toLowerCase() === 'identity') return;
  throw new WarmswapError(
    'UNIMPLEMENTED',
    `Content-Encoding: expected none, got '${encoding.slice(0, 64)}'`,
  );
}

function parseHeaderLength(value: string): number | undefined {
  if (value === '') return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `Inference-Header-Content-Length: expected a number of bytes, got '${value.slice(0, 64)}'`,
  );
}

/** As clients count: 1 is the highest. */
function refusePriority({ priority }: HttpInferRequest, { plan }: Version): void {
  const { priorities } = plan.options;
  if (priority === undefined || priority < priorities) return;
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `priority: expected 0 (the default) to ${priorities}, got ${priority + 1}`,
  );
}
