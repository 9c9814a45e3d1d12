import { encode, decode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { fromFloat32, RawRpc, shiftRequest, type WireTensor } from '../support/raw-rpc.js';
import { RawWebSocket } from '../support/raw-websocket.js';
import { TestRepository } from '../support/repository.js';

/** How numbers and texts of MessagePack are read, whichever way a request takes through the daemon. */

let repository: TestRepository;
let daemon: DaemonProcess;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const name of ['shift', 'identity-bytes']) await repository.publish(name, 1);
  await repository.configure('shift', 'queue: { priorities: 3 }\nlabels: { stable: 1 }');
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
});

afterAll(async () => {
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

/** Sends one message and gives the answer's parts. */
async function ask(frame: Uint8Array): Promise<unknown[]> {
  const client = await RawWebSocket.connect(daemon.rpcUrl);
  client.send(frame);
  client.read();
  const [answer] = await client.until((frames) => frames.length > 0);
  client.destroy();
  return decode(new Uint8Array(answer?.payload ?? [])) as unknown[];
}

/** `infer` with every number that it may have, all of them whole. */
const request = <N>(number: (value: number) => N) => {
  const { inputs } = shiftRequest();
  const x = { ...inputs.x, shape: [number(1), number(4)] };
  const numbers = { version: number(1), deadlineMs: number(10_000), priority: number(2) };
  return [number(0), number(7), 'infer', [{ model: 'shift', inputs: { x }, ...numbers }]];
};

describe('a whole number', () => {
  test.each([
    ['the shortest integer', encode(request((value) => value))],
    ['a 64-bit integer', encode(request(BigInt), { useBigInt64: true })],
    [
      'a 64-bit float',
      encode(
        request((value) => value),
        { forceIntegerToFloat: true },
      ),
    ],
    [
      'a 32-bit float',
      encode(
        request((value) => value),
        { forceIntegerToFloat: true, forceFloat32: true },
      ),
    ],
  ])('is the same as %s', async (_, frame) => {
    const [type, msgid, error, result] = await ask(frame);
    expect([type, msgid, error]).toEqual([1, 7, null]);
    expect(result).toMatchObject({ model: 'shift', version: 1 });
    const { outputs } = result as { outputs: { y: WireTensor } };
    expect(outputs.y.shape).toEqual([1, 4]);
    expect(fromFloat32(outputs.y)).toEqual([2, 3, 4, 5]);
  });

  test.each([
    [{ version: 1.5 }, /'version': expected a positive integer, got 1.5/],
    [{ priority: 0.5 }, /'priority': expected an integer/],
    [{ version: 2n ** 60n }, /'version': expected a positive integer/],
    [{ version: 2 ** 60 }, /'version': expected a positive integer/],
    [{ deadlineMs: Number.NaN }, /'deadlineMs': expected a number above 0/],
    [{ deadlineMs: Number.POSITIVE_INFINITY }, /'deadlineMs': expected a number above 0/],
  ])('is asked for, and %o is refused', async (fields, message) => {
    const rpc = await RawRpc.connect(daemon.rpcUrl);
    const { error } = await rpc.call('infer', { ...shiftRequest(), ...fields });
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error?.message).toMatch(message);
    expect((await rpc.call('infer', { ...shiftRequest(), deadlineMs: 10_000.5 })).error).toBeNull();
    rpc.close();
  });
});

/** Stands in a request where bytes are to be that are no UTF-8. */
const MARK = 'qqqq';
const WRONG = Buffer.from([0x61, 0xff, 0xc3, 0x28]);

function withWrongText(message: unknown): Uint8Array {
  const frame = Buffer.from(encode(message));
  const at = frame.indexOf(MARK);
  WRONG.copy(frame, at);
  return new Uint8Array(frame);
}

const bytes = (element: string) => ({ datatype: 'BYTES', shape: [1], data: [element] });

describe('a text that is no UTF-8 is refused', () => {
  const { inputs } = shiftRequest();
  test.each([
    ['the method', MARK, {}],
    ['the model', 'infer', { model: MARK, inputs }],
    ['the label', 'infer', { model: 'shift', label: MARK, inputs }],
    ['the key', 'infer', { model: 'shift', key: MARK, inputs }],
    ['the key of a map', 'infer', { model: 'shift', inputs, [MARK]: 1 }],
    ['the name of an input', 'infer', { model: 'shift', inputs: { [MARK]: inputs.x } }],
    ['the name of an output', 'infer', { model: 'shift', inputs, outputs: [MARK] }],
    ['a datatype', 'infer', { model: 'shift', inputs: { x: { ...inputs.x, datatype: MARK } } }],
    ['an element of BYTES', 'infer', { model: 'identity-bytes', inputs: { x: bytes(MARK) } }],
    ['a value that is sent back', 'ping', MARK],
  ])('as %s', async (_, method, params) => {
    const message = [0, 9, method, [params]];
    const [type, msgid, error, result] = await ask(withWrongText(message));
    expect([type, msgid, result]).toEqual([1, 9, null]);
    expect(error).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', retryable: false },
      message: expect.stringMatching(
        /expected texts in UTF-8, the one at byte \d+ is not/,
      ) as string,
    });
  });

  test('but not as bin', async () => {
    const rpc = await RawRpc.connect(daemon.rpcUrl);
    const x = { datatype: 'BYTES', shape: [1], data: [new Uint8Array(WRONG)] };
    const { result } = await rpc.call('infer', { model: 'identity-bytes', inputs: { x } });
    expect(result.outputs.y?.data).toEqual([new Uint8Array(WRONG)]);
    rpc.close();
  });
});
