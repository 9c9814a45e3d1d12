/** Of a machine that there is not, for results of benchmarks. */
export const FACTS = {
  date: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  cpu: 'a CPU',
  cores: 2,
  memoryGb: 25,
  kernel: '6.1',
  placement: 'not pinned',
  versions: { node: '20.0.0' },
};
