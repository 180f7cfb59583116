/** Steps of the exponential's table per unit of the natural logarithm. */
const stepsPerUnit = 256;
/**
 * Terms this far below the largest value are rounded up to it: a vocabulary of 2 ** 22 such terms adds less than
 * 1e-12 of the sum, far under the resolution of f32 logits.
 */
const deepest = 44;
const lastStep: number = deepest * stepsPerUnit;
/** exp(-step / stepsPerUnit). (lastStep + 2,) */
const table: Float64Array = Float64Array.from({ length: lastStep + 2 }, (_, step) =>
  Math.exp(-step / stepsPerUnit),
);

/**
 * Natural logarithm of the sum of exp over a row whose largest value is `largest`; relative error of the sum
 * below 1e-11. The exponential comes from a table and a short series, as `Math.exp` would be most of the cost of
 * choosing a token.
 */
export function logSumExp(row: Float32Array, largest: number): number {
  if (largest === Infinity || largest === -Infinity) return largest;
  // Four sums let the additions overlap (twice as fast); their order is fixed, so the result is reproducible.
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const whole = row.length & ~3;
  for (let index = 0; index < whole; index += 4) {
    first += exponential(largest - row[index]!);
    second += exponential(largest - row[index + 1]!);
    third += exponential(largest - row[index + 2]!);
    fourth += exponential(largest - row[index + 3]!);
  }
  for (let index = whole; index < row.length; index += 1) first += exponential(largest - row[index]!);
  return largest + Math.log(first + second + (third + fourth));
}

/** exp(-distance) for distance >= 0; the series ends where its error is below 1e-12. */
function exponential(distance: number): number {
  const scaled = Math.min(distance * stepsPerUnit, lastStep);
  const step = (scaled + 0.5) | 0;
  const rest = (step - scaled) * (1 / stepsPerUnit);
  return table[step]! * (1 + rest + rest * rest * (0.5 + rest * (1 / 6)));
}

/** Logarithm of a token's probability from its logit and the row's log-sum-exp, also for infinite logits. */
export function logProbability(logit: number, rowLogSumExp: number): number {
  if (logit === -Infinity) return -Infinity;
  return logit === Infinity ? 0 : logit - rowLogSumExp;
}
