import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import { placeWorker } from '../../src/supervisor/worker-placement.js';

function placed(devices: readonly Device[], workers: number): Device[] {
  const taken: Device[] = [];
  for (let i = 0; i < workers; i++) taken.push(placeWorker(devices, taken));
  return taken;
}

test('workers go round the devices, in their order', () => {
  expect(placed(['cpu'], 3)).toEqual(['cpu', 'cpu', 'cpu']);
  expect(placed(['cuda:3', 'cuda:0'], 5)).toEqual([
    ...['cuda:3', 'cuda:0', 'cuda:3', 'cuda:0', 'cuda:3'],
  ]);
});

test('one that has gone leaves its place to the next', () => {
  expect(placeWorker(['cuda:0', 'cuda:1', 'cuda:2'], ['cuda:0', 'cuda:2'])).toBe('cuda:1');
});

test('however workers come and go, no device gets one while another has fewer', () => {
  const devices: Device[] = ['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3'];
  const some = fc.array(fc.constantFrom(...devices), { maxLength: 30 });
  fc.assert(
    fc.property(some, (taken) => {
      const count = (device: Device) => taken.filter((each) => each === device).length;
      const chosen = placeWorker(devices, taken);
      expect(count(chosen)).toBe(Math.min(...devices.map(count)));
    }),
  );
});
