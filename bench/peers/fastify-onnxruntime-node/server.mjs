// A model behind Fastify, run by onnxruntime-node: POST /infer, MessagePack in and out. One worker of
// a cluster, which tells it over IPC to shut down. Arguments: model file, intra-op threads.
import Fastify from 'fastify';
import { Packr } from 'msgpackr';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const MOST_BYTES = 64 * 1024 * 1024;

const [modelPath, threads] = process.argv.slice(2);
const packr = new Packr({ useRecords: false });
const session = await InferenceSession.create(modelPath, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
});
await warmUp();

// While it closes it still answers what comes on open connections, and ends each with that answer.
const app = Fastify({ bodyLimit: MOST_BYTES, return503OnClosing: false });
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) =>
  done(null, body),
);
app.post('/infer', async (request, reply) => {
  const { shape, data } = packr.unpack(request.body).inputs.x;
  const { y } = await session.run({ x: new Tensor('float32', toFloat32(data), shape) });
  reply.type('application/msgpack');
  return packr.pack({ outputs: { y: toWire(y) } });
});
await app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', async () => {
  await app.close();
  process.exit(0);
});

async function warmUp() {
  const width = session.inputMetadata[0].shape[1];
  await session.run({ x: new Tensor('float32', new Float32Array(width), [1, width]) });
}

/** Copies only where the values are not aligned. */
function toFloat32({ buffer, byteOffset, length }) {
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, length / 4);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

function toWire({ dims, data: { buffer, byteOffset, byteLength } }) {
  return { datatype: 'FP32', shape: dims, data: Buffer.from(buffer, byteOffset, byteLength) };
}
