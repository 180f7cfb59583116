/** The middle value, or the mean of the two in the middle. Needs at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('Expected at least one value, found none.');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** One figure of one subject, a value per round; undefined where the round gave none. */
export type Series = readonly (number | undefined)[];

/** The values of those rounds that gave one. */
export function valuesOf(series: Series): number[] {
  return series.filter((value) => value !== undefined);
}

/**
 * Median of the ratios of each round. Both sides of a round are measured one right after the other, so a machine
 * that changes its pace in between rounds changes the ratio little. Undefined without a common round.
 */
export function pairedRatio(ours: Series, theirs: Series): number | undefined {
  const ratios = valuesOf(combine([ours, theirs], ([a = 0, b = 0]) => (b === 0 ? undefined : a / b)));
  return ratios.length === 0 ? undefined : median(ratios);
}

/** A series from several, where all of them have a value. */
export function combine(
  series: readonly Series[],
  compute: (values: readonly number[]) => number | undefined,
): Series {
  const rounds = Math.min(...series.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => {
    const values = valuesOf(series.map((values) => values[round]));
    return values.length === series.length ? compute(values) : undefined;
  });
}

/** Half the range in proportion to the median; 0 for a single value. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  if (values.length < 2 || middle === 0) return 0;
  return (Math.max(...values) - Math.min(...values)) / 2 / middle;
}
