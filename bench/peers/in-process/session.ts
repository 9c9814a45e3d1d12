import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * onnxruntime-node in one process, without any server. A child process that does what its parent
 * asks over IPC, one request at a time (see requests.ts).
 */

import type { SessionReply, SessionRequest } from './requests.js';

let session: InferenceSession | undefined;

async function create(request: Extract<SessionRequest, { type: 'create' }>): Promise<SessionReply> {
  const options: InferenceSession.SessionOptions =
    request.threads === undefined ? {} : { intraOpNumThreads: request.threads };
  const started = performance.now();
  session = await InferenceSession.create(request.modelPath, options);
  return { createMs: performance.now() - started };
}

/** Runs one after another for as long as asked; each result is dropped. */
async function run(request: Extract<SessionRequest, { type: 'run' }>): Promise<SessionReply> {
  const data = new Float32Array(request.rows * request.width).fill(0.5);
  const x = new Tensor('float32', data, [request.rows, request.width]);
  const endsAt = performance.now() + request.seconds * 1000;
  const times: number[] = [];
  for (let begun = performance.now(); begun < endsAt;) {
    await session?.run({ x });
    const ended = performance.now();
    times.push((ended - begun) * 1000);
    begun = ended;
  }
  times.sort((a, b) => a - b);
  return { runs: times.length, p50Us: times[Math.floor(times.length / 2)] ?? 0 };
}

/** One row. */
async function infer({ input }: Extract<SessionRequest, { type: 'infer' }>): Promise<SessionReply> {
  if (!session) throw new Error('there is no session');
  const x = new Tensor('float32', Float32Array.from(input), [1, input.length]);
  const { y } = await session.run({ x });
  return { output: [...((y as Tensor).data as Float32Array)] };
}

function reply(request: SessionRequest): Promise<SessionReply> {
  switch (request.type) {
    case 'create':
      return create(request);
    case 'run':
      return run(request);
    case 'infer':
      return infer(request);
  }
}

process.on('message', (request: SessionRequest) => {
  reply(request).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: String(error) } satisfies SessionReply),
  );
});
