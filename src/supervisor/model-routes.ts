import { z } from 'zod';
import { validate } from '../config/parse.js';
import { label as labelSchema } from '../config/schema.js';
import { noBody, versionNumber, type Route } from './admin-route.js';
import { activate, load, removeLabel, setLabel, unload } from './operator-choices.js';
import type { Supervisor } from './supervisor.js';

/** Calls that steer one model. Each is answered as a reload is. */

const activateBody = z.strictObject({
  version: versionNumber,
  allowSignatureChange: z.boolean().default(false),
});
/** Without a version, the whole model. */
const loadBody = z.strictObject({ version: versionNumber.optional() });
const labelBody = z.strictObject({ version: versionNumber });

export const MODEL_ROUTES: readonly Route[] = [
  { ...at('POST', 'activate'), answer: answerActivate },
  { ...at('POST', 'load'), answer: answerLoad },
  { ...at('POST', 'unload'), answer: answerUnload },
  { ...at('POST', 'rollback'), answer: answerRollback },
  { ...at('PUT', 'labels/([^/]+)'), answer: answerSetLabel },
  { ...at('DELETE', 'labels/([^/]+)'), answer: answerRemoveLabel },
];

function at(method: Route['method'], rest: string): Pick<Route, 'method' | 'path'> {
  return { method, path: new RegExp(`^/models/([^/]+)/${rest}$`) };
}

function answerActivate(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  const { version, allowSignatureChange } = validate(activateBody, body, 'request');
  return supervisor.change(model, activate(version, allowSignatureChange));
}

function answerLoad(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  return supervisor.change(model, load(validate(loadBody, body, 'request').version));
}

function answerUnload(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  return supervisor.change(model, unload(validate(loadBody, body, 'request').version));
}

function answerRollback(supervisor: Supervisor, [model = '']: readonly string[], body: unknown) {
  validate(noBody, body, 'request');
  return supervisor.rollback(model);
}

function answerSetLabel(
  supervisor: Supervisor,
  [model = '', label = '']: readonly string[],
  body: unknown,
) {
  const { version } = validate(labelBody, body, 'request');
  return supervisor.change(model, setLabel(validate(labelSchema, label, 'label'), version));
}

function answerRemoveLabel(
  supervisor: Supervisor,
  [model = '', label = '']: readonly string[],
  body: unknown,
) {
  validate(noBody, body, 'request');
  return supervisor.change(model, removeLabel(label));
}
