import { RivuletError } from '../errors.ts';
import type { RequestState } from './request-state.ts';

/** Watches over the requests that nobody reads at the moment. */
export interface Parking {
  enter(state: RequestState): void;
  leave(state: RequestState): void;
}

/** Longer timers fire at once (2 ** 31 milliseconds do not fit their counter). */
const longestTimerMs: number = 2 ** 31 - 1;

/** One timer serves all: entering and leaving happens with every token and must cost nothing. */
export function createParking(
  limitMs: number,
  expire: (state: RequestState, error: RivuletError) => void,
): Parking {
  const parked = new Set<RequestState>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const schedule = (delayMs: number): void => {
    timer = setTimeout(sweep, Math.min(delayMs, longestTimerMs));
    // Where timers hold a process open, an unread request must not.
    if (typeof timer === 'object') timer.unref();
  };

  const sweep = (): void => {
    timer = undefined;
    const now = performance.now();
    let next = Infinity;
    for (const state of parked) {
      const leftMs = (state.parkedMs ?? now) + limitMs - now;
      if (leftMs <= 0) {
        parked.delete(state);
        expire(state, tooLong(limitMs));
      } else next = Math.min(next, leftMs);
    }
    if (next !== Infinity) schedule(Math.ceil(next));
  };

  return {
    enter(state) {
      state.parkedMs = performance.now();
      parked.add(state);
      if (timer === undefined) schedule(limitMs);
    },
    leave(state) {
      state.parkedMs = undefined;
      parked.delete(state);
    },
  };
}

function tooLong(limitMs: number): RivuletError {
  return new RivuletError(
    'PARKED_TOO_LONG',
    `Expected a stream to be read at least every ${limitMs} ms, but nobody did, so its memory was freed. Read faster, or end the stream and ask again.`,
    { details: { limitMs } },
  );
}
