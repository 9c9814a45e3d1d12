/** Requests of the Open Inference Protocol, put together by hand. */

export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** For the fixture `shift`, whose version v answers x + v. */
export function shiftInput(fields: object = {}): object {
  return { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4], ...fields };
}

export function shiftBody(fields: object = {}): string {
  return JSON.stringify({ inputs: [shiftInput()], ...fields });
}

/** For the fixture `slow`, which takes about a microsecond an iteration. */
export function slowBody(iterations: number, fields: object = {}): string {
  const inputs = [
    { name: 'iterations', shape: [], datatype: 'INT64', data: [iterations] },
    { name: 'x', shape: [1], datatype: 'FP32', data: [0] },
  ];
  return JSON.stringify({ inputs, ...fields });
}

/** A JSON part and what follows it, with the header that tells where it ends. */
export function binaryBody(
  request: object,
  ...data: readonly Uint8Array[]
): { body: Uint8Array; headers: Record<string, number> } {
  const header = Buffer.from(JSON.stringify(request));
  return {
    body: Buffer.concat([header, ...data]),
    headers: { 'Inference-Header-Content-Length': header.length },
  };
}

/** Cuts an answer with binary data where its header says. */
export function splitAnswer({
  headers,
  body,
}: {
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}): { json: unknown; data: Buffer } {
  const length = Number(headers.get('inference-header-content-length'));
  return { json: JSON.parse(body.toString('utf8', 0, length)), data: body.subarray(length) };
}
