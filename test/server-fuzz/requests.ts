import { Random } from '../support/random.js';
import { Pairs, Raw, pairs, type Value } from './msgpack-writer.js';

/** Requests for the fixtures that are right but for what was changed in them on purpose. */

export const MODELS = [
  ...['shift', 'mixed', 'scalar', 'identity-bytes', 'identity-int64', 'identity-fp16'],
] as const;

/** For the fixture `shift` 1, which answers x + 1. */
export function shiftParams(x: Float32Array): Pairs {
  return pairs({ model: 'shift', inputs: pairs({ x: floats(x) }) });
}

function floats(x: Float32Array): Pairs {
  const data = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  return pairs({ datatype: 'FP32', shape: [x.length / 4, 4], data });
}

/** What makes the server close the connection is rare, so that more is tried before. */
const ENDS_ONE_IN = 100;

/** Remembers whether a frame has something in it that may close the connection. */
export class Chance extends Random {
  #mayEnd = false;

  get mayEnd(): boolean {
    return this.#mayEnd;
  }

  startFrame(): void {
    this.#mayEnd = false;
  }

  ends(): boolean {
    const ends = this.once(ENDS_ONE_IN);
    this.#mayEnd ||= ends;
    return ends;
  }
}

/** Params of the method, with up to three places changed. */
export function strangeParams(method: string, random: Chance): Value {
  let params: Value = paramsOf(method, random);
  for (let changes = random.below(4); changes > 0; changes--) params = changed(params, random);
  return params;
}

function paramsOf(method: string, random: Chance): Pairs {
  switch (method) {
    case 'models':
      return pairs({});
    case 'describe':
      return pairs({ model: random.oneOf(NAMES), version: random.below(3) });
    case 'subscribe':
    case 'unsubscribe':
      return pairs({ events: [random.oneOf(['swap', 'model', 'worker', 'nothing'])] });
    case 'cancel':
      return pairs({ msgid: random.below(300) });
    default:
      return inferParams(random);
  }
}

const NAMES = [...MODELS, 'nothing', ''] as const;
const OPTIONAL: Readonly<Record<string, readonly [Value, ...Value[]]>> = {
  version: [1, 2, 0, -1, 1.5, 2 ** 53, 'one'],
  label: ['stable', '', 'x'.repeat(100), 7],
  outputs: [[], ['y'], ['y', 'y'], ['nothing'], 'y', [1]],
  deadlineMs: [1000, 0.001, 0, -1, 1e300, NaN, '5'],
  priority: [0, 1, 2, 3, 255, -1, 0.5],
  key: ['any'],
  foreign: [null],
};

function inferParams(random: Chance): Pairs {
  const model = random.oneOf(NAMES);
  const members: [string, Value][] = [
    ['model', model],
    ['inputs', inputsOf(model, random)],
  ];
  for (const [name, values] of Object.entries(OPTIONAL)) {
    if (random.once(6)) members.push([name, random.oneOf(values)]);
  }
  if (random.ends()) members.push(['__proto__', pairs({ model: 'shift' })]);
  return new Pairs(members);
}

function inputsOf(model: string, random: Random): Pairs {
  const n = random.below(4);
  switch (model) {
    case 'mixed':
      return pairs({
        a: tensor('FP32', [n, 3], random.bytes(12 * n)),
        b: tensor('INT64', [n], random.bytes(8 * n)),
      });
    case 'scalar':
      return pairs({ x: tensor('FP32', [], random.bytes(4)) });
    case 'identity-bytes':
      return pairs({
        x: tensor(
          'BYTES',
          [n],
          Array.from({ length: n }, () => random.bytes(n)),
        ),
      });
    case 'identity-int64':
      return pairs({ x: tensor('INT64', [n], random.bytes(8 * n)) });
    case 'identity-fp16':
      return pairs({ x: tensor('FP16', [n], random.bytes(2 * n)) });
    default:
      return pairs({ x: tensor('FP32', [n, 4], random.bytes(16 * n)) });
  }
}

function tensor(datatype: string, shape: readonly number[], data: Value): Pairs {
  return pairs({ datatype, shape, data });
}

/** The value with one place in it changed: replaced, left out or repeated. */
function changed(value: Value, random: Chance): Value {
  if (value instanceof Pairs && value.members.length > 0 && !random.once(5)) {
    const at = random.below(value.members.length);
    const [key, inner] = value.members[at] ?? [null, null];
    const member = [random.ends() ? strangeValue(random) : key, changed(inner, random)] as const;
    return new Pairs(replaced(value.members, at, member, random));
  }
  if (isList(value) && value.length > 0 && !random.once(5)) {
    const at = random.below(value.length);
    return replaced(value, at, changed(value[at] ?? null, random), random);
  }
  return strangeValue(random);
}

function replaced<T>(all: readonly T[], at: number, one: T, random: Chance): T[] {
  const instead = random.once(4) ? [] : random.ends() ? [one, one] : [one];
  return [...all.slice(0, at), ...instead, ...all.slice(at + 1)];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

const STRANGE: readonly [Value, ...Value[]] = [
  ...([null, true, 0, -1, 1, 0.5, NaN, Infinity, 2 ** 31, 2 ** 53] as const),
  ...[2n ** 64n - 1n, -(2n ** 63n)],
  ...['', 'x', 'y', 'a', 'FP32', 'INT64', 'BYTES', 'FP8', '__proto__', 'constructor', '\ud800'],
  ...[[], [1], [-1, 4], [1, 4], [2 ** 31, 2 ** 31], [0.5], ['1'], new Uint8Array(16)],
  ...[pairs({}), pairs({ x: null }), pairs({ datatype: 'FP32', shape: [1], data: [1] })],
];

function strangeValue(random: Chance): Value {
  if (random.ends()) return unreadable(random);
  if (random.once(20)) return random.bytes(5);
  return random.once(20) ? random.below(1000) : random.oneOf(STRANGE);
}

/** Bytes by chance, and extension types. */
function unreadable(random: Random): Value {
  return random.oneOf([
    new Raw(random.bytes(1 + random.below(6))),
    new Raw(Uint8Array.of(0xd4, 0x00, 0x00)),
    new Raw(Uint8Array.of(0xc7, 0x03, 0x01, 1, 2, 3)),
  ]);
}
