import { expect, test } from 'vitest';
import { visibleGpus } from '../../src/supervisor/device/visible-gpus.js';

const GPUS = ['GPU-aa1', 'GPU-bb2', 'GPU-cc3'].map((uuid, index) => ({
  ...{ index, uuid, name: 'NVIDIA H200' },
}));

const seen = (visible: string | undefined) => visibleGpus(GPUS, visible).map(({ uuid }) => uuid);

test.each([
  [undefined, ['GPU-aa1', 'GPU-bb2', 'GPU-cc3']],
  ['2,0', ['GPU-cc3', 'GPU-aa1']],
  [' 1 , 2 ', ['GPU-bb2', 'GPU-cc3']],
  ['GPU-cc3,GPU-a', ['GPU-cc3', 'GPU-aa1']],
  ['', []],
  ['-1', []],
  ['NoDevFiles', []],
  ['GPU-', []],
  ['1,7,0', ['GPU-bb2']],
  ['0,0', ['GPU-aa1']],
  ['MIG-11,MIG-22', ['MIG-11', 'MIG-22']],
])('CUDA_VISIBLE_DEVICES=%s shows %j', (visible, uuids) => {
  expect(seen(visible)).toEqual(uuids);
});

test('programs count what they see from 0', () => {
  expect(visibleGpus(GPUS, '2,1').map(({ index }) => index)).toEqual([0, 1]);
});
