import { expect, it } from 'vitest';

import { finishVector } from '../../src/embed/finish-vector.ts';

it('makes length 1', () => {
  expect(Array.from(finishVector(Float32Array.of(3, 4), 2, true))).toEqual([
    expect.closeTo(0.6, 6),
    expect.closeTo(0.8, 6),
  ]);
});

it('cuts first, so that what is left has length 1', () => {
  expect(Array.from(finishVector(Float32Array.of(2, 0, 100), 2, true))).toEqual([1, 0]);
});

it('leaves length and zeros alone where it must', () => {
  expect(Array.from(finishVector(Float32Array.of(3, 4), 2, false))).toEqual([3, 4]);
  expect(Array.from(finishVector(Float32Array.of(0, 0), 2, true))).toEqual([0, 0]);
});
