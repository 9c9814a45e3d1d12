import { Packr } from 'msgpackr';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/**
 * What a Node.js team would write: a `ws` server that runs the model by onnxruntime-node. Takes the
 * daemon's frames and answers in its form. Arguments: model file, intra-op threads. Prints
 * `{"port": …}`.
 */

type Request = [type: number, msgid: number, method: string, params: [InferParams]];

interface InferParams {
  inputs: { x: { shape: number[]; data: Buffer } };
}

const [modelPath = '', threads = '1'] = process.argv.slice(2);
const packr = new Packr({ useRecords: false });
const session = await InferenceSession.create(modelPath, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
});
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (socket) => {
  socket.on('message', (frame: Buffer) => void answer(socket, frame));
});
server.on('listening', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});

async function answer(socket: WebSocket, frame: Buffer): Promise<void> {
  const [, msgid, , [params]] = packr.unpack(frame) as Request;
  const { shape, data } = params.inputs.x;
  const x = new Tensor('float32', toFloat32(data), shape);
  const { y } = await session.run({ x });
  socket.send(packr.pack([1, msgid, null, { outputs: { y: toWire(y as Tensor) } }]));
}

/** Copies only where the values are not aligned. */
function toFloat32({ buffer, byteOffset, length }: Buffer): Float32Array {
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, length / 4);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

function toWire({ dims, data }: Tensor): {
  datatype: string;
  shape: readonly number[];
  data: Buffer;
} {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return { datatype: 'FP32', shape: dims, data: Buffer.from(buffer, byteOffset, byteLength) };
}
