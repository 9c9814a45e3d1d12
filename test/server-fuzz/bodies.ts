import { requestBytes } from '../support/raw-http.js';
import type { Random } from '../support/random.js';
import { MODELS } from './requests.js';

/** Bodies of the Open Inference Protocol, from right ones to bytes by chance. */

const SCALARS = [
  ...['1', '-1', '0.5', '1e308', '1e999', '9007199254740993', '-9223372036854775808', '"NaN"'],
  ...['null', 'true', '""', '"\\u00e9"', '"\\ud800"', '[]', '[[1]]', '{}', '{"a":1}'],
] as const;
const NAMES = ['x', 'a', 'b', 'y', '__proto__', 'constructor', ''] as const;
const DATATYPES = ['FP32', 'INT64', 'BYTES', 'FP16', 'UINT8', 'BOOL', 'FP8'] as const;
const SHAPES = [
  '[1,4]',
  '[4]',
  '[0]',
  '[]',
  '[-1]',
  '[4294967296,4294967296]',
  '[0.5]',
  '4',
] as const;
const RIGHT = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';
const MOST_CHUNK_BYTES = 50;

/** One whole request over HTTP, and its id and output if it is right. */
export interface HttpRequest {
  bytes: Buffer;
  expected?: { id: string; y: readonly number[] };
}

export class BodySource {
  constructor(private readonly random: Random) {}

  next(): HttpRequest {
    if (this.random.once(5)) return this.right();
    const json = Buffer.from(this.random.once(3) ? this.#spoilt(RIGHT) : this.#strange());
    const tail = this.random.once(2) ? this.random.bytes(this.random.below(40)) : new Uint8Array();
    const model = this.random.oneOf([...MODELS, 'nothing', '%00']);
    return {
      bytes: this.#post(model, Buffer.concat([json, tail]), this.#lengthHeader(json.length)),
    };
  }

  /** For the fixture `shift` 1, which answers x + 1; with data in JSON or behind it. */
  right(): HttpRequest {
    const x = Array.from({ length: 4 }, () => this.random.below(1000));
    const id = String(this.random.below(2 ** 31));
    const expected = { id, y: x.map((value) => value + 1) };
    const isBinary = this.random.once(3);
    const data = isBinary ? { parameters: { binary_data_size: 16 } } : { data: x };
    const inputs = [{ name: 'x', shape: [1, 4], datatype: 'FP32', ...data }];
    const json = Buffer.from(JSON.stringify({ id, inputs }));
    if (!isBinary) return { bytes: this.#post('shift', json, {}), expected };
    const headers = { 'Inference-Header-Content-Length': json.length };
    const body = Buffer.concat([json, Buffer.from(Float32Array.from(x).buffer)]);
    return { bytes: this.#post('shift', body, headers), expected };
  }

  /** A request whose bytes are changed anywhere, also those of its head, or end too early. */
  broken(corpus: readonly Uint8Array[]): Uint8Array {
    const whole = Buffer.from(this.random.oneOf([this.next().bytes, ...corpus]));
    for (let changes = this.random.below(5); changes > 0; changes--) {
      whole[this.random.below(whole.length)] = this.random.below(256);
    }
    return this.random.once(3) ? whole.subarray(0, this.random.below(whole.length + 1)) : whole;
  }

  #lengthHeader(length: number): Record<string, string | number> {
    const said = this.random.oneOf([undefined, length, length + 7, 0, -1, 'x']);
    return said === undefined ? {} : { 'Inference-Header-Content-Length': said };
  }

  #post(model: string, body: Buffer, headers: Record<string, string | number>): Buffer {
    const path = `/v2/models/${model}/infer`;
    if (!this.random.once(4)) return requestBytes('POST', path, body, headers);
    const chunked = { ...headers, 'Transfer-Encoding': 'chunked' };
    return Buffer.concat([requestBytes('POST', path, undefined, chunked), ...this.#chunks(body)]);
  }

  *#chunks(body: Buffer): Generator<Buffer> {
    for (let at = 0, end = 0; at < body.length; at = end) {
      end = Math.min(body.length, at + 1 + this.random.below(MOST_CHUNK_BYTES));
      yield Buffer.from(`${(end - at).toString(16)}\r\n`);
      yield body.subarray(at, end);
      yield Buffer.from('\r\n');
    }
    yield Buffer.from('0\r\n\r\n');
  }

  #strange(): string {
    const inputs = Array.from({ length: this.random.below(3) }, () => this.#input());
    const members = [`"inputs":[${inputs.join(',')}]`];
    const optional = [
      `"id":${this.#scalar()}`,
      `"outputs":[{"name":"${this.#oneOf(NAMES)}","parameters":{"binary_data":${this.#scalar()}}}]`,
      `"parameters":{"priority":${this.#scalar()},"timeout":${this.#scalar()}}`,
      `"parameters":{"binary_data_output":${this.#scalar()}}`,
      `"foreign":${this.#scalar()}`,
    ];
    for (const member of optional) if (this.random.once(5)) members.push(member);
    return `{${members.join(',')}}`;
  }

  #input(): string {
    const data = this.random.once(3)
      ? this.#scalar()
      : `[${Array.from({ length: this.random.below(9) }, () => this.#scalar()).join(',')}]`;
    const members = [
      `"name":"${this.#oneOf(NAMES)}"`,
      `"datatype":"${this.#oneOf(DATATYPES)}"`,
      `"shape":${this.#oneOf(SHAPES)}`,
      this.random.once(4)
        ? `"parameters":{"binary_data_size":${this.#scalar()}}`
        : `"data":${data}`,
    ];
    return `{${members.filter(() => !this.random.once(12)).join(',')}}`;
  }

  #scalar(): string {
    return this.#oneOf(SCALARS);
  }

  #oneOf(values: readonly string[]): string {
    return this.random.oneOf(values) ?? '';
  }

  #spoilt(text: string): Uint8Array {
    const bytes = Buffer.from(text);
    for (let changes = 1 + this.random.below(4); changes > 0; changes--) {
      bytes[this.random.below(bytes.length)] = this.random.below(256);
    }
    return bytes;
  }
}
