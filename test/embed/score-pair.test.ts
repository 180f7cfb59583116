import { expect, it } from 'vitest';

import { scorePair } from '../../src/embed/score-pair.ts';

it('takes one value for a logit', () => {
  expect(scorePair(Float32Array.of(0), [])).toBe(0.5);
  expect(scorePair(Float32Array.of(100), [])).toBe(1);
  expect(scorePair(Float32Array.of(-100), [])).toBeCloseTo(0);
});

it('takes the share of yes among several', () => {
  expect(scorePair(Float32Array.of(1, 1), ['no', 'yes'])).toBe(0.5);
  expect(scorePair(Float32Array.of(0, Math.log(3)), ['no', 'Yes'])).toBeCloseTo(0.75);
});

it('refuses values that nobody named', () => {
  expect(() => scorePair(Float32Array.of(1, 2, 3), [])).toThrow(/3 values without labels/);
});
