import type { ParseState, ParseStates } from './parse-states.ts';

/** Longer certain texts are taken in several pieces. */
const maximumForced = 256;

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
