import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { logProbability, logSumExp } from '../../src/session/log-sum-exp.ts';
import { scoreTokens, selectCandidates } from '../../src/session/select-candidates.ts';
import { createRandom } from '../../src/generate/random.ts';

/** The definition, without any of the shortcuts. */
function rank(row: Float32Array): number[] {
  return Array.from(row.keys()).sort((left, right) =>
    row[left] === row[right] ? left - right : row[right]! - row[left]!,
  );
}

function exactLogSumExp(row: Float32Array): number {
  const largest = Math.max(...row);
  return Number.isFinite(largest)
    ? largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0))
    : largest;
}

const logit = fc.oneof(
  { weight: 12, arbitrary: fc.float({ min: -60, max: 60, noNaN: true }) },
  { weight: 4, arbitrary: fc.constantFrom(0, -0, 1, -1, 7.5) },
  { weight: 1, arbitrary: fc.constantFrom(-Infinity, 3.4e38, -3.4e38) },
);
const rows = fc.array(logit, { minLength: 1, maxLength: 1500 }).map((values) => Float32Array.from(values));

describe('selectCandidates', () => {
  test('ranks as a full sort does, ties by id, whatever the count', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 1600 }), (row, count) => {
        const before = row.slice();
        const { ids, logits, rawLogits, logSumExp: sum, rawLogSumExp } = selectCandidates(row, { count });
        const expected = rank(row).slice(0, count);
        expect(Array.from(ids)).toEqual(expected);
        for (const [index, id] of expected.entries()) {
          expect(logits[index] === row[id] && rawLogits[index] === row[id]).toBe(true);
        }
        expect(rawLogSumExp).toBe(sum);
        const exact = exactLogSumExp(row);
        expect(Object.is(sum, exact) || Math.abs(sum - exact) < 1e-9 * Math.max(1, Math.abs(exact))).toBe(
          true,
        );
        expect(row).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test('cuts its buffer right on long rows of every order', () => {
    const random = createRandom(3);
    const shuffled = Float32Array.from({ length: 40_000 }, () => Math.round(random.next() * 5000) / 100);
    for (const row of [shuffled, shuffled.toSorted(), shuffled.toSorted().toReversed()]) {
      for (const count of [1, 40, 300]) {
        expect(Array.from(selectCandidates(row, { count }).ids)).toEqual(rank(row).slice(0, count));
      }
    }
  });

  test('applies bias, then penalties, then mask', () => {
    const row = Float32Array.of(1, 2, -3, 4, 0.5);
    const found = selectCandidates(row, {
      count: 5,
      rawTop: 2,
      bias: new Map([
        [0, 4],
        [2, 1],
      ]),
      penalties: {
        ids: Int32Array.of(0, 2),
        counts: Int32Array.of(1, 3),
        repeat: 2,
        frequency: 0.5,
        presence: 0.25,
      },
      mask: Int32Array.of(0b10111),
    });
    // 0: (1 + 4) / 2 - 0.75; 2: (-3 + 1) * 2 - 1.75; 3: forbidden.
    expect(Array.from(found.ids)).toEqual([1, 0, 4, 2, 3]);
    expect(Array.from(found.logits)).toEqual([2, 1.75, 0.5, -5.75, -Infinity]);
    expect(Array.from(found.rawLogits)).toEqual([2, 1, 0.5, -3, 4]);
    expect(found.logSumExp).toBeCloseTo(
      Math.log([2, 1.75, 0.5, -5.75].reduce((sum, value) => sum + Math.exp(value), 0)),
      10,
    );
    expect(found.rawLogSumExp).toBeCloseTo(exactLogSumExp(row), 10);
    expect(Array.from(found.rawTopIds)).toEqual([3, 1]);
    expect(Array.from(found.rawTopLogits)).toEqual([4, 2]);
    expect(Array.from(row)).toEqual([1, 2, -3, 4, 0.5]);
  });

  test('infinite logits rank first and last, and a bias of -Infinity forbids even the first', () => {
    const row = Float32Array.of(1, Infinity, -Infinity, 2);
    expect(selectCandidates(row, { count: 4 })).toMatchObject({
      ids: Int32Array.of(1, 3, 0, 2),
      logSumExp: Infinity,
    });
    const forbidden = selectCandidates(row, { count: 1, bias: new Map([[1, -Infinity]]) });
    expect(forbidden.ids).toEqual(Int32Array.of(3));
    expect(forbidden.rawLogSumExp).toBe(Infinity);
    const none = selectCandidates(row, { count: 2, mask: Int32Array.of(0) });
    expect(none.logSumExp).toBe(-Infinity);
    expect(none.ids).toEqual(Int32Array.of(0, 1));
  });

  test.each([0, 1, 4, 5])('NaN at %i is damaged weights, with and without adjustments', (position) => {
    const row = Float32Array.of(1, 2, 3, 4, 5, 6);
    row[position] = Number.NaN;
    const selections = [
      { count: 1 },
      { count: 6 },
      { count: 2, bias: new Map([[position, -Infinity]]) },
      { count: 2, mask: Int32Array.of(~(1 << position)) },
    ];
    for (const selection of selections) {
      expect(() => selectCandidates(row, selection)).toThrow(
        expect.objectContaining({ code: 'WEIGHTS_NOT_FINITE' }),
      );
    }
    expect(() => scoreTokens(row, 6, Int32Array.of(1), 0)).toThrow(
      expect.objectContaining({ code: 'WEIGHTS_NOT_FINITE' }),
    );
  });
});

test('scoreTokens gives log-probabilities of targets and of the best', () => {
  const rows = Float32Array.of(1, 2, 3, 0, 0, -Infinity);
  const { logprobs, topIds, topLogprobs } = scoreTokens(rows, 3, Int32Array.of(0, -1), 2);
  const sum = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3));
  expect(logprobs[0]).toBeCloseTo(1 - sum, 6);
  expect(logprobs[1]).toBeNaN();
  expect(Array.from(topIds)).toEqual([2, 1, 0, 1]);
  expect(topLogprobs[0]).toBeCloseTo(3 - sum, 6);
  expect(topLogprobs[2]).toBeCloseTo(Math.log(0.5), 6);
  expect(() => scoreTokens(rows, 4, Int32Array.of(0, -1), 2)).toThrow(/2 rows of 4/);
});

test('logSumExp keeps its accuracy from 1 to 262144 terms of any depth', () => {
  const random = createRandom(9);
  for (const length of [1, 2, 3, 5, 1023, 262_144]) {
    for (const spread of [0.01, 5, 200]) {
      const row = Float32Array.from({ length }, () => (random.next() - 0.5) * spread);
      const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
      let sum = 0;
      for (const value of row) sum += Math.exp(value - largest);
      expect(Math.abs(logSumExp(row, largest) - (largest + Math.log(sum)))).toBeLessThan(1e-11);
    }
  }
  expect(logProbability(-Infinity, -Infinity)).toBe(-Infinity);
  expect(logProbability(Infinity, Infinity)).toBe(0);
});
