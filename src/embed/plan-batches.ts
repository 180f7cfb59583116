/**
 * Which texts share a step: by length, so that no step is short of tokens and none of its texts much longer than the
 * others; at most `budget` tokens, or one text that is longer.
 * @returns places in `lengths`, longest texts first: running out of memory shows at once
 */
export function planBatches(lengths: readonly number[], budget: number): readonly (readonly number[])[] {
  const byLength = Array.from(lengths.keys()).toSorted(
    (left, right) => (lengths[right] ?? 0) - (lengths[left] ?? 0) || left - right,
  );
  const batches: number[][] = [];
  let room = 0;
  for (const place of byLength) {
    const length = lengths[place] ?? 0;
    if (batches.length === 0 || length > room) {
      batches.push([]);
      room = budget;
    }
    batches.at(-1)?.push(place);
    room -= length;
  }
  return batches;
}
