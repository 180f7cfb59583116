import type { ParseState, ParseStates, Reading } from './parse-states.ts';

/** Longer certain texts are taken in several pieces. */
const maximumForced = 256;
/** No end that anyone waits for is longer. */
const maximumEnd = 100_000;

/** Fewest bytes from a state to an end of the text. */
export function leastRest(state: ParseState): number {
  if (state.accepts) return 0;
  let least = Infinity;
  for (const reading of state.readings) least = Math.min(least, costOf(reading));
  return least;
}

function costOf({ place, stack }: Reading): number {
  return place.cost + (stack?.cost ?? 0);
}

/** The bytes of a shortest way to an end. */
export function shortestEnd(states: ParseStates, from: ParseState): Uint8Array {
  const bytes: number[] = [];
  let state = from;
  while (!state.accepts && bytes.length < maximumEnd) {
    let best = -1;
    let least = Infinity;
    for (const { place, stack } of state.readings) {
      for (const { low, high, target } of states.places.edges(place)) {
        const cost = states.places.at(target, place.count).cost + (stack?.cost ?? 0);
        if (cost >= least) continue;
        least = cost;
        // A space fills better than what cannot be seen.
        best = low < 0x20 && high >= 0x20 ? 0x20 : low;
      }
    }
    const next = best < 0 ? null : states.next(state, best);
    if (next === null) break;
    bytes.push(best);
    state = next;
  }
  return Uint8Array.from(bytes);
}

/** The bytes that must come next whatever else does, and the state behind them. */
export function forcedBytes(
  states: ParseStates,
  from: ParseState,
): { readonly bytes: Uint8Array; readonly end: ParseState } {
  const bytes: number[] = [];
  let state = from;
  while (bytes.length < maximumForced && !state.accepts) {
    const byte = onlyByte(states, state);
    const next = byte < 0 ? null : states.next(state, byte);
    if (next === null) break;
    bytes.push(byte);
    state = next;
  }
  return { bytes: Uint8Array.from(bytes), end: state };
}

function onlyByte(states: ParseStates, state: ParseState): number {
  let only = -1;
  for (const { place } of state.readings) {
    for (const { low, high } of states.places.edges(place)) {
      if (low !== high || (only >= 0 && low !== only)) return -1;
      only = low;
    }
  }
  return only;
}
