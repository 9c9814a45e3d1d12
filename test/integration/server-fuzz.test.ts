import { expect, test } from 'vitest';
import { runServerFuzz } from '../server-fuzz/server-fuzz.js';

/** `npm run test:fuzz:server` is the long version. */
test('every generated frame and body is answered or closed with a code, and the worker lives', async () => {
  const { rpc, http, violations } = await runServerFuzz({ count: 30_000, seed: 1 });
  expect(violations).toEqual([]);
  const codes = ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED'];
  expect([...rpc.answers.keys()]).toEqual(expect.arrayContaining(codes));
  expect([...rpc.closes.keys()]).toEqual(expect.arrayContaining([1002, 1003, 1007]));
  expect([...http.statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 404]));
}, 180_000);
