import { describe, expect, it } from 'vitest';

import { createRope } from '../../src/graph/rope.ts';

const plain = { pairs: 'halves', dimensions: 8, base: 10000, positionScale: 1, attentionFactor: 1 } as const;

describe('rotary frequencies', () => {
  it('fall geometrically from 1', () => {
    const { frequencies, magnitude } = createRope(plain);
    expect(Array.from(frequencies)).toEqual([1, 0.1, 0.01, 0.001].map((value) => expect.closeTo(value, 12)));
    expect(magnitude).toBe(1);
  });

  it('linear scaling stretches all of them', () => {
    const { frequencies } = createRope({ ...plain, positionScale: 1 / 4 });
    expect(frequencies[0]).toBeCloseTo(0.25, 12);
    expect(frequencies[3]).toBeCloseTo(0.00025, 12);
  });

  it('factors divide them one by one', () => {
    const { frequencies } = createRope({ ...plain, factors: Float32Array.of(1, 2, 4, 8) });
    expect(Array.from(frequencies)).toEqual(
      [1, 0.05, 0.0025, 0.000125].map((value) => expect.closeTo(value, 12)),
    );
  });

  it('YaRN keeps fast ones, stretches slow ones and corrects the magnitude', () => {
    const { frequencies, magnitude } = createRope({
      ...plain,
      dimensions: 64,
      positionScale: 1 / 4,
      yarn: { originalContextLength: 4096, betaFast: 32, betaSlow: 1, logMultiplier: 0 },
    });
    expect(frequencies[0]).toBe(1);
    expect(frequencies[31]).toBeCloseTo(10000 ** (-62 / 64) / 4, 12);
    const middle = frequencies[16] ?? 0;
    const unscaled = 10000 ** (-32 / 64);
    expect(middle).toBeGreaterThan(unscaled / 4);
    expect(middle).toBeLessThan(unscaled);
    expect(magnitude).toBeCloseTo(1 + 0.1 * Math.log(4), 12);
  });

  it("a YaRN multiplier divides the magnitude by the model's own", () => {
    const yarn = { originalContextLength: 4096, betaFast: 32, betaSlow: 1, logMultiplier: 1 };
    expect(createRope({ ...plain, positionScale: 1 / 40, yarn }).magnitude).toBeCloseTo(1, 12);
  });
});
