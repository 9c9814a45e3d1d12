import { jsonReply, type Reply } from './http-error.js';

/** What pages of other origins need (CORS), once the origin is allowed. */

type Headers = readonly (readonly [string, string])[];

const PREFLIGHT: Headers = [
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST'],
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type, Inference-Header-Content-Length'],
  ['Access-Control-Max-Age', '600'],
];

/** Of every answer to it, so that the page may read it; none for no origin. */
export function crossOriginHeaders(origin: string): Headers {
  if (origin === '') return [];
  return [
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Expose-Headers', 'Inference-Header-Content-Length, Retry-After'],
    ['Vary', 'Origin'],
  ];
}

/** The answer to the question whether a page may make a request; it brings no token. */
export function preflightReply(): Reply {
  return { ...jsonReply({}), headers: PREFLIGHT };
}
