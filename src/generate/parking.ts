import { RivuletError } from '../errors.ts';
import type { RequestState } from './request-state.ts';

/** Watches over the requests that nobody reads at the moment. */
export interface Parking {
  enter(state: RequestState): void;
  leave(state: RequestState): void;
}

/** Longer timers fire at once (2 ** 31 milliseconds do not fit their counter). */
const longestTimerMs: number = 2 ** 31 - 1;

export interface ParkingLimits {
  /** After so long a request gives up its sequence, and gets one again when it is read. */
  readonly restMs: number;
  /** After so long it ends. */
  readonly limitMs: number;
}

/** One timer serves all: entering and leaving happens with every token and must cost nothing. */
export function createParking(
  { restMs, limitMs }: ParkingLimits,
  rest: (state: RequestState) => void,
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
      const restedMs = now - (state.parkedMs ?? now);
      if (restedMs >= limitMs) {
        parked.delete(state);
        expire(state, tooLong(limitMs));
        continue;
      }
      if (restedMs >= restMs) rest(state);
      next = Math.min(next, (restedMs < restMs ? Math.min(restMs, limitMs) : limitMs) - restedMs);
    }
    if (next !== Infinity) schedule(Math.ceil(next));
  };

  return {
    enter(state) {
      state.parkedMs = performance.now();
      parked.add(state);
      if (timer === undefined) schedule(Math.min(restMs, limitMs));
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
