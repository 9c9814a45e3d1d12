import { expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import { sharingProblem } from '../../src/supervisor/sharing-problem.js';

test.each<[readonly Device[], number, RegExp]>([
  [['cpu'], 4, /nothing is shared on the CPU: it takes CUDA/],
  [['webgpu'], 4, /nothing is shared on WebGPU: it takes CUDA/],
  [['cuda:0'], 1, /nothing is shared: it takes several workers/],
  [['cuda:0', 'cuda:1'], 2, /only models with a GPU of their own .* each of the 2 GPUs/],
])('on %j with %d workers', (devices, workers, problem) => {
  expect(sharingProblem(devices, workers)).toMatch(problem);
});

test('more workers than GPUs share', () => {
  expect(sharingProblem(['cuda:0'], 2)).toBeUndefined();
  expect(sharingProblem(['cuda:0', 'cuda:1'], 3)).toBeUndefined();
});
