import { expect, test } from 'vitest';
import { addStack, emptyTree, selfByOrigin } from '../../bench/profile/call-tree.js';
import { flameGraph } from '../../bench/profile/flame-graph.js';
import { readStacks, type Stack } from '../../bench/profile/samples.js';

const PERF_SCRIPT = `node 12/13  1.5: 10101010 cpu-clock:pppH:
\t7f01 _int_malloc+0x12 (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t7f02 warmswap::Session::Run(int) (inlined)
\t7f02 warmswap::Executor::Run(Ort::RunOptions const&)+0x1 (/a/b/warmswap.node)
\t7f03 JS:*accept /a/b/infer-lane.js:12:3 (/tmp/perf-12.map)

runner thread 12/14  1.6: 10101010 cpu-clock:pppH:
\tffffffff01 [unknown] ([kernel.kallsyms])
\t7f05 [unknown] (/x/libonnxruntime.so.1)
`;

async function stacksOf(text: string): Promise<Stack[]> {
  async function* lines() {
    for (const line of text.split('\n')) yield await Promise.resolve(line);
  }
  const stacks: Stack[] = [];
  for await (const stack of readStacks(lines())) stacks.push(stack);
  return stacks;
}

test('samples become stacks from the thread down, with whose code each frame is', async () => {
  const [first, second, ...more] = await stacksOf(PERF_SCRIPT);
  expect(first).toEqual([
    { name: 'node', origin: 'other' },
    { name: 'accept infer-lane.js:12:3', origin: 'JavaScript' },
    { name: 'warmswap::Executor::Run(Ort::RunOptions const&)', origin: 'addon' },
    { name: 'warmswap::Session::Run(int)', origin: 'addon' },
    { name: '_int_malloc', origin: 'C library' },
  ]);
  expect(second).toEqual([
    { name: 'runner thread', origin: 'other' },
    { name: '[libonnxruntime.so.1]', origin: 'ONNX Runtime' },
    { name: '[kernel.kallsyms]', origin: 'kernel' },
  ]);
  expect(more).toEqual([]);
});

test('a flame graph has each frame once, as wide as its share', async () => {
  const root = emptyTree();
  const [first, second] = await stacksOf(PERF_SCRIPT);
  for (const stack of [first, first, first, second]) if (stack) addStack(root, stack);
  expect(root.total).toBe(4);
  expect(selfByOrigin(root)).toEqual([
    ['C library', 3],
    ['kernel', 1],
  ]);
  const svg = flameGraph(root);
  expect(svg.match(/_int_malloc \(C library\), 75\.0 %/g)).toHaveLength(1);
  expect(svg).toContain('Run(Ort::RunOptions const&amp;)');
});
