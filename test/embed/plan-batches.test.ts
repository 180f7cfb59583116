import fc from 'fast-check';
import { expect, it } from 'vitest';

import { planBatches } from '../../src/embed/plan-batches.ts';

it('takes every text once, within the budget, the longest first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 })),
      fc.integer({ min: 1, max: 512 }),
      (lengths, budget) => {
        const batches = planBatches(lengths, budget);
        expect(batches.flat().toSorted((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const batch of batches) {
          const total = batch.reduce((sum, place) => sum + (lengths[place] ?? 0), 0);
          expect(total <= budget || batch.length === 1).toBe(true);
        }
        const order = batches.flat().map((place) => lengths[place] ?? 0);
        expect(order).toEqual(order.toSorted((a, b) => b - a));
      },
    ),
  );
});

it('leaves no room unused that the next text fits into', () => {
  expect(planBatches([10, 20, 30, 40], 60)).toEqual([[3], [2, 1, 0]]);
});
