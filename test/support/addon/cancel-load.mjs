import { Engine, load, modelPath, OPTIONS, say, shiftIsRight } from './harness.mjs';

const engine = new Engine();
const codeOf = (loading) =>
  loading.then(
    () => 'loaded',
    (error) => error.code,
  );

const early = AbortSignal.abort();
say(`before it began: ${await codeOf(loadWith(early, 'shift/1'))}`);

const running = new AbortController();
const first = loadWith(running.signal, 'big/1', () => running.abort());
const waiting = new AbortController();
const second = loadWith(waiting.signal, 'shift/1');
waiting.abort();
say(`while it ran: ${await codeOf(first)}`);
say(`while it waited: ${await codeOf(second)}`);

const late = new AbortController();
// More than a signal may have listeners before Node.js warns of a leak.
for (let i = 0; i < 12; i++) await (await loadWith(late.signal, 'shift/1')).unload();
const model = await loadWith(late.signal, 'shift/1');
late.abort();
say(`after it ended: ${await shiftIsRight(model, 3)}`);
await model.unload();

void load(engine, 'big/1', () => {
  engine.close();
  say('closed');
});

function loadWith(signal, fixture, onMapped) {
  return engine.load({ modelPath: modelPath(fixture), ...OPTIONS }, onMapped, signal);
}
