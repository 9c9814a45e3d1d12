import { z } from 'zod';
import type { Supervisor } from './supervisor.js';

/** One call of the admin interface. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Its groups are given to `answer`, decoded. */
  path: RegExp;
  /** Answered also without the token. */
  isPublic?: true;
  /** Gives the answer's body, or an EventStream, at once or by a promise; throws or rejects with coded errors. */
  answer(supervisor: Supervisor, captured: readonly string[], body: unknown): unknown;
}

/** Of calls whose path says all; keys are refused. */
export const noBody = z.strictObject({});

export const versionNumber = z.int().min(1);
