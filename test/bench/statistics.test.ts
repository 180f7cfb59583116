import { describe, expect, it } from 'vitest';

import { combine, median, pairedRatio, spread } from './statistics.ts';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 9, 2])).toBe(5.5);
    expect(median([3])).toBe(3);
  });

  it('needs a value', () => {
    expect(() => median([])).toThrow(/at least one value/);
  });
});

describe('pairedRatio', () => {
  it('compares within rounds, so that a change of pace between them does not count', () => {
    // The machine is four times as slow in the second and third round.
    expect(pairedRatio([200, 50, 50], [100, 25, 25])).toBe(2);
    expect(pairedRatio([200, 50, 52], [25, 25, 26])).toBe(2);
  });

  it('uses the rounds that both have', () => {
    expect(pairedRatio([undefined, 30, 40], [1, 10, undefined])).toBe(3);
    expect(pairedRatio([undefined, 30], [10])).toBeUndefined();
    expect(pairedRatio([], [])).toBeUndefined();
    expect(pairedRatio([1], [0])).toBeUndefined();
  });
});

it('combine computes only where all series have a value', () => {
  const sum = combine(
    [
      [1, undefined, 3, 4],
      [10, 20, 30],
    ],
    ([a = 0, b = 0]) => a + b,
  );
  expect(sum).toEqual([11, undefined, 33]);
});

it('spread is half the range in proportion to the median', () => {
  expect(spread([90, 100, 120])).toBeCloseTo(0.15);
  expect(spread([7])).toBe(0);
});
