import { z } from 'zod';
import { validate } from '../config/parse.js';
import { noBody, type Route } from './admin-route.js';
import type { Supervisor } from './supervisor.js';

/** Calls that replace workers. Each is answered when the workers that it replaces have ended. */

const drainBody = z.strictObject({ worker: z.int().min(0) });

export const WORKER_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/drain$/, answer: answerDrain },
  { method: 'POST', path: /^\/restart$/, answer: answerRestart },
];

function answerDrain(supervisor: Supervisor, _: readonly string[], body: unknown) {
  return supervisor.drain(validate(drainBody, body, 'request').worker);
}

function answerRestart(supervisor: Supervisor, _: readonly string[], body: unknown) {
  validate(noBody, body, 'request');
  return supervisor.restart();
}
