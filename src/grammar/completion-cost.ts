import type { Position } from './automaton-builder.ts';

/**
 * Fewest bytes from each position to the end of its rule, or inside the body of a counted loop to the end of that body;
 * Infinity where no text leads there.
 */
export function leastBytes(
  positions: readonly Position[],
  starts: ReadonlyMap<string, number>,
): Float64Array {
  const costs = new Float64Array(positions.length).fill(Infinity);
  // Positions are made front to back, so going back to front nearly all costs are known at once.
  for (let changed = true; changed;) {
    changed = false;
    for (let at = positions.length - 1; at >= 0; at -= 1) {
      const cost = costOf(positions[at]!, costs, starts);
      if (cost >= costs[at]!) continue;
      costs[at] = cost;
      changed = true;
    }
  }
  return costs;
}

function costOf(position: Position, costs: Float64Array, starts: ReadonlyMap<string, number>): number {
  if (position.final || position.again !== undefined) return 0;
  let least = Infinity;
  for (const { target } of position.bytes) least = Math.min(least, 1 + costs[target]!);
  for (const target of position.steps) least = Math.min(least, costs[target]!);
  for (const { rule, next } of position.calls) {
    least = Math.min(least, costs[starts.get(rule)!]! + costs[next]!);
  }
  if (position.enters !== undefined) least = Math.min(least, costs[position.enters]!);
  const { loop } = position;
  if (loop !== undefined) {
    const bodies = loop.minimum === 0 ? 0 : loop.minimum * costs[loop.body]!;
    least = Math.min(least, bodies + costs[loop.exit]!);
  }
  return least;
}
