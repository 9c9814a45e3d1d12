import { z } from 'zod';
import { validate } from '../config/parse.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Route } from './admin-route.js';
import { load, unload, type ChoiceChange } from './operator-choices.js';
import type { Supervisor } from './supervisor.js';

/** The model repository extension of the Open Inference Protocol. */

const indexBody = z.strictObject({ ready: z.boolean().default(false) });
const loadBody = z.strictObject({ parameters: z.strictObject({}).optional() });
/** No model depends on another, so what is asked of those that do is fine either way. */
const unloadBody = z.strictObject({
  parameters: z.strictObject({ unload_dependents: z.boolean().optional() }).optional(),
});

export const REPOSITORY_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/v2\/repository\/index$/, answer: answerIndex },
  { method: 'POST', path: /^\/v2\/repository\/models\/([^/]+)\/load$/, answer: answerLoad },
  { method: 'POST', path: /^\/v2\/repository\/models\/([^/]+)\/unload$/, answer: answerUnload },
];

async function answerIndex(supervisor: Supervisor, _: readonly string[], body: unknown) {
  const { ready } = validate(indexBody, body, 'request');
  const index = await supervisor.index();
  return ready ? index.filter(({ state }) => state === 'READY') : index;
}

function answerLoad(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  validate(loadBody, body, 'request');
  return follow(supervisor, model, load());
}

function answerUnload(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  validate(unloadBody, body, 'request');
  return follow(supervisor, model, unload());
}

/** The extension answers with nothing, or with why it did not come true. */
async function follow(supervisor: Supervisor, model: string, change: ChoiceChange) {
  const { changes } = await supervisor.change(model, change);
  const failed = changes.find((each) => each.model === model && each.result !== 'committed');
  if (failed) throw new WarmswapError('FAILED_PRECONDITION', failed.reason ?? failed.result);
  return {};
}
