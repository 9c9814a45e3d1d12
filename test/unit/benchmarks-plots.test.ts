import { describe, expect, test } from 'vitest';
import { drawPlot, PLOT_NAMES } from '../../bench/plot/plots.js';
import { linearScale, logScale } from '../../bench/plot/scale.js';
import type { KeptRecording, Recording } from '../../bench/lib/recording.js';
import { FACTS } from '../support/bench-facts.js';

const RUN = { ...FACTS, row: 'row', quick: false };

const kept = (recording: Recording, facts: Partial<typeof FACTS> = {}): KeptRecording => ({
  ...recording,
  ...RUN,
  ...facts,
});

const memory = (server: string, ...points: [workers: number, pssBytes: number][]): Recording => ({
  plot: 'memory-by-workers',
  server,
  load: 'big model',
  points: points.map(([workers, pssBytes]) => ({ workers, pssBytes })),
});

describe('scales', () => {
  test('linear ones begin at zero and end at a round number', () => {
    const { at, ticks } = linearScale([3, 17], [0, 100]);
    expect(ticks).toEqual([0, 5, 10, 15, 20]);
    expect([at(0), at(5), at(20)]).toEqual([0, 25, 100]);
  });

  test('logarithmic ones have ticks around all values, and not too many', () => {
    expect(logScale([0.3, 8], [0, 100]).ticks).toEqual([0.2, 0.5, 1, 2, 5, 10]);
    const { at, ticks } = logScale([0.01, 1e5], [100, 0]);
    expect(ticks).toEqual([0.01, 0.1, 1, 10, 100, 1000, 1e4, 1e5]);
    expect([at(0.01), at(1e5), at(0)]).toEqual([100, 0, 100]);
  });

  test('a single value has a scale too', () => {
    for (const scale of [linearScale([0], [0, 100]), logScale([5], [0, 100], [5])]) {
      expect(scale.at(5)).toBeGreaterThanOrEqual(0);
      expect(scale.at(5)).toBeLessThanOrEqual(100);
    }
  });
});

describe('plots', () => {
  test('each server has a line with its markers, in the legend by name', () => {
    const svg = drawPlot('memory-by-workers', [
      kept(memory('Warmswap', [1, 2e9], [4, 3e9])),
      kept(memory('ws & "others"', [1, 3e9], [4, 12e9])),
    ])?.svg;
    expect(svg?.match(/<polyline/g)).toHaveLength(2);
    expect(svg).toContain('>Warmswap<');
    expect(svg).toContain('ws &amp; &quot;others&quot;');
    expect(svg).toContain('memory (GB)');
    expect(svg).toContain('2026-01-02, commit abc1234; a CPU, 2 cores, Linux 6.1');
  });

  test('all recordings of a plot are of its newest run', () => {
    const later = { date: '2026-01-03T00:00:00.000Z', quick: true };
    const plot = drawPlot('memory-by-workers', [
      kept(memory('old', [1, 1e9])),
      kept(memory('new', [1, 1e9]), later),
    ]);
    expect(plot?.isQuick).toBe(true);
    expect(plot?.svg).toContain('>new<');
    expect(plot?.svg).not.toContain('>old<');
  });

  test('a line of latency ends where a server no longer keeps up', () => {
    const point = (rate: number) => ({ rate, p50Us: 500, p99Us: 2000 });
    const recording = (server: string, rates: number[]): KeptRecording =>
      kept({ plot: 'latency-by-rate', server, load: 'mid', points: rates.map(point) });
    const svg = drawPlot('latency-by-rate', [
      recording('Warmswap', [200, 1000, 3000]),
      recording('slow', [200]),
    ])?.svg;
    const lines = [...(svg ?? '').matchAll(/<polyline[^>]* points="([^"]*)"/g)].map(
      ([, points = '']) => points.split(' ').length,
    );
    expect(lines).toEqual([3, 3, 1, 1]);
  });

  test('latency across swaps has a panel a server, with its swaps and its failures', () => {
    const buckets = Array.from({ length: 100 }, (_, i) => ({
      ms: 10 * i,
      requests: 10,
      failures: i === 50 ? 3 : 0,
      ...{ p50: 300, p99: 900, max: 1000 + i },
    }));
    const marks = [
      { phase: 'warmup', ms: 0 },
      { phase: 'steady', ms: 100 },
      { phase: 'updating', ms: 400 },
      { phase: 'steady', ms: 600 },
    ];
    const series = { bucketMs: 10, leftOut: 0, marks, buckets };
    const recording = (server: string) =>
      kept({ plot: 'latency-across-update', server, load: 'mid', series, during: 'updating' });
    const svg = drawPlot('latency-across-update', [recording('Warmswap'), recording('ws')])?.svg;
    expect(svg?.match(/<rect class="band"/g)).toHaveLength(3); // with that of the legend
    expect(svg?.match(/<circle class="failure"/g)).toHaveLength(3);
    expect(svg?.match(/<polyline/g)).toHaveLength(4);
  });

  test('without recordings there is none', () => {
    expect(PLOT_NAMES.map((name) => drawPlot(name, []))).toEqual(PLOT_NAMES.map(() => undefined));
  });
});
