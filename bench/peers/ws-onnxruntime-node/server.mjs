// What a Node.js team would write: a `ws` server that runs the model by onnxruntime-node. Takes the
// daemon's frames and answers in its form. Arguments: model file, intra-op threads. Prints
// `{"port": …}`. Over IPC it is told to switch to another model, or, as one worker of a cluster, to
// shut down.
import { Packr } from 'msgpackr';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { WebSocketServer } from 'ws';

const SERVICE_RESTART = 1012;

const [modelPath, threads] = process.argv.slice(2);
const packr = new Packr({ useRecords: false });
const answers = new Set();
let session = await load(modelPath);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (frame) => {
    const answered = answer(socket, frame).finally(() => answers.delete(answered));
    answers.add(answered);
  });
});
await once(server, 'listening');
if (cluster.isPrimary) console.log(JSON.stringify({ port: server.address().port }));

process.on('message', async ({ update }) => {
  if (update === undefined) return shutDown();
  session = await load(update);
  process.send({ updated: true });
});

/** Warmed up. */
async function load(path) {
  const loaded = await InferenceSession.create(path, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
  });
  const width = loaded.inputMetadata[0].shape[1];
  await loaded.run({ x: new Tensor('float32', new Float32Array(width), [1, width]) });
  return loaded;
}

async function answer(socket, frame) {
  const [, msgid, , [params]] = packr.unpack(frame);
  const { shape, data } = params.inputs.x;
  const { y } = await session.run({ x: new Tensor('float32', toFloat32(data), shape) });
  socket.send(packr.pack([1, msgid, null, { outputs: { y: toWire(y) } }]));
}

/** Copies only where the values are not aligned. */
function toFloat32({ buffer, byteOffset, length }) {
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, length / 4);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

function toWire({ dims, data: { buffer, byteOffset, byteLength } }) {
  return { datatype: 'FP32', shape: dims, data: Buffer.from(buffer, byteOffset, byteLength) };
}

/** Answers what has come, then tells the clients to connect anew. */
async function shutDown() {
  server.close();
  await Promise.all(answers);
  const sockets = [...server.clients];
  for (const socket of sockets) socket.close(SERVICE_RESTART);
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
  process.exit(0);
}
