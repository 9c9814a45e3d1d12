import { expect, test } from 'vitest';
import { SlabLedger } from '../../src/supervisor/slab-ledger.js';

const SLAB = { handle: 'ab', bytes: 1 };
const ONE = { holder: 11, request: 1 };
const TWO = { holder: 22, request: 1 };

function ledgerWith(...leases: { holder: number; request: number }[]): SlabLedger {
  const ledger = new SlabLedger();
  for (const lease of leases) ledger.borrow('/m', lease);
  ledger.onLoaded('/m', SLAB);
  return ledger;
}

test('weights are loaded for the first that asks, and granted to all that wait', () => {
  const ledger = new SlabLedger();
  expect(ledger.borrow('/m', ONE)).toEqual([{ type: 'load', modelPath: '/m' }]);
  expect(ledger.borrow('/m', TWO)).toEqual([]);
  expect(ledger.onLoaded('/m', SLAB)).toEqual([
    { type: 'grant', ...ONE, slab: SLAB },
    { type: 'grant', ...TWO, slab: SLAB },
  ]);
  const late = { holder: 33, request: 7 };
  expect(ledger.borrow('/m', late)).toEqual([{ type: 'grant', ...late, slab: SLAB }]);
  expect(ledger.holders).toEqual([11, 22, 33]);
});

test('weights are freed when the last has given them back, and not before', () => {
  const ledger = ledgerWith(ONE, { ...ONE, request: 2 }, TWO);
  expect(ledger.giveBack(11, 1)).toEqual([]);
  expect(ledger.giveBack(11, 1)).toEqual([]);
  expect(ledger.giveBack(22, 1)).toEqual([]);
  expect(ledger.giveBack(11, 2)).toEqual([{ type: 'free', modelPath: '/m', slab: SLAB }]);
  expect(ledger.isEmpty).toBe(true);
});

test('a worker that ends gives all back that it had', () => {
  const ledger = ledgerWith(ONE, { ...ONE, request: 2 }, TWO);
  expect(ledger.onHolderGone(11)).toEqual([]);
  expect(ledger.holders).toEqual([22]);
  expect(ledger.onHolderGone(22)).toEqual([{ type: 'free', modelPath: '/m', slab: SLAB }]);
});

test('weights that nobody waits for any more are freed once they are loaded', () => {
  const ledger = new SlabLedger();
  ledger.borrow('/m', ONE);
  expect(ledger.giveBack(11, 1)).toEqual([]);
  expect(ledger.isEmpty).toBe(false);
  expect(ledger.onLoaded('/m', SLAB)).toEqual([{ type: 'free', modelPath: '/m', slab: SLAB }]);
});

test('who asks after the last has given them back has them loaded again', () => {
  const ledger = ledgerWith(ONE);
  ledger.giveBack(11, 1);
  expect(ledger.borrow('/m', TWO)).toEqual([{ type: 'load', modelPath: '/m' }]);
});

test('all that wait for weights that do not load are told why, and may ask again', () => {
  const ledger = new SlabLedger();
  ledger.borrow('/m', ONE);
  ledger.borrow('/m', TWO);
  expect(ledger.onFailed('/m', 'full')).toEqual([
    { type: 'refuse', ...ONE, reason: 'full' },
    { type: 'refuse', ...TWO, reason: 'full' },
  ]);
  expect(ledger.borrow('/m', ONE)).toEqual([{ type: 'load', modelPath: '/m' }]);
});

test('when the owner has ended, those who use weights are affected, and those who wait refused', () => {
  const ledger = ledgerWith(ONE, { ...ONE, request: 2 });
  ledger.borrow('/other', TWO);
  expect(ledger.onOwnerGone('crash')).toEqual({
    actions: [{ type: 'refuse', ...TWO, reason: 'crash' }],
    affected: [11],
  });
  expect(ledger.isEmpty).toBe(true);
  expect(ledger.giveBack(11, 1)).toEqual([]);
  expect(ledger.onLoaded('/other', SLAB)).toEqual([]);
});

test('the number of models whose weights are shared is bounded', () => {
  const ledger = new SlabLedger();
  for (let i = 0; i < 256; i++) ledger.borrow(`/m${i}`, { holder: 1, request: i });
  const [refused] = ledger.borrow('/one-more', ONE);
  expect(refused).toMatchObject({ type: 'refuse', ...ONE });
  expect(ledger.borrow('/m0', TWO)).toEqual([]);
});

test('it tells what is waited for, and what is there', () => {
  const ledger = ledgerWith(ONE);
  ledger.borrow('/other', TWO);
  expect(ledger.awaited).toEqual(['/other']);
  expect(ledger.size).toEqual({ models: 1, bytes: SLAB.bytes });
});
