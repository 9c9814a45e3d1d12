// Workers that share one port, by node:cluster. Arguments: the program of a worker, their number,
// model file, intra-op threads. Prints `{"port": …}`. Told over IPC to serve another model it
// replaces one worker after another: the old one ends once the new one listens.
import cluster from 'node:cluster';
import { once } from 'node:events';

const [program, count, modelPath, threads] = process.argv.slice(2);
const retired = new Set();
let workers = [];

cluster.on('exit', (worker, code, signal) => {
  if (retired.delete(worker)) return;
  console.error(`a worker ended by itself: ${signal ?? code}`);
  process.exit(1);
});

const started = await Promise.all(Array.from({ length: Number(count) }, () => start(modelPath)));
workers = started.map(({ worker }) => worker);
console.log(JSON.stringify({ port: started[0].port }));

process.on('message', async ({ update }) => {
  for (const [index, old] of workers.entries()) {
    const { worker } = await start(update);
    workers[index] = worker;
    await retire(old);
  }
  process.send({ updated: true });
});

async function start(model) {
  cluster.setupPrimary({ exec: program, args: [model, threads] });
  const worker = cluster.fork();
  const [{ port }] = await once(worker, 'listening');
  return { worker, port };
}

async function retire(worker) {
  retired.add(worker);
  worker.send({});
  await once(worker, 'exit');
}
