import { RivuletError } from '../errors.ts';

/** Every text delta is compared with every stop text; more than this is a list of words, not of endings. */
const maximumStops = 256;
/** A held-back text is at most this long, in UTF-16 units, so that a stream cannot stall for good. */
const maximumStopLength = 4096;

/** Watches a text that comes in pieces for the texts that end it. */
export interface StopText {
  /**
   * The next piece. `text` is what may be shown now: never part of a stop text, and all but what could still
   * become one. After `stopped` nothing more comes out.
   */
  push(delta: string): { readonly text: string; readonly stopped: boolean; readonly stop?: string };
  /** What was held back, once the text has ended on its own. */
  flush(): string;
}

/** @throws {RivuletError} `INVALID_ARGUMENT` for too many, too long, empty or non-text entries */
export function checkStops(stops: readonly string[]): void {
  if (!Array.isArray(stops)) throw invalid('a list of texts', typeof stops);
  if (stops.length > maximumStops) {
    throw invalid(`at most ${maximumStops} texts`, `${stops.length}`);
  }
  for (const stop of stops as readonly unknown[]) {
    if (typeof stop !== 'string') throw invalid('a list of texts', `an entry of type ${typeof stop}`);
    if (stop === '') throw invalid('texts of at least one character', 'an empty one');
    if (stop.length > maximumStopLength) {
      throw invalid(`texts of at most ${maximumStopLength} characters`, `one of ${stop.length}`);
    }
  }
}

/**
 * The stop text that is complete first wins; of two that end together, the longer. So the result does not depend
 * on where the pieces were cut.
 * @throws {RivuletError} `INVALID_ARGUMENT`, see {@link checkStops}
 */
export function createStopText(stops: readonly string[]): StopText {
  checkStops(stops);
  let held = '';
  let stopped = false;

  return {
    push(delta) {
      if (stopped) return { text: '', stopped };
      held += delta;
      const found = findFirst(held, stops);
      stopped = found !== undefined;
      const end = found?.start ?? startOfPrefix(held, stops);
      const text = held.slice(0, end);
      held = stopped ? '' : held.slice(end);
      return { text, stopped, ...(found === undefined ? {} : { stop: found.stop }) };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

interface FoundStop {
  readonly start: number;
  readonly stop: string;
}

function findFirst(text: string, stops: readonly string[]): FoundStop | undefined {
  let first: FoundStop | undefined;
  let firstEnd = Infinity;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    const end = start + stop.length;
    if (start < 0 || end > firstEnd || (end === firstEnd && first !== undefined && start > first.start))
      continue;
    first = { start, stop };
    firstEnd = end;
  }
  return first;
}

/** Where the longest end of the text begins that is a beginning of a stop text, but not all of it. */
function startOfPrefix(text: string, stops: readonly string[]): number {
  let start = text.length;
  for (const stop of stops) {
    const opening = stop.charCodeAt(0);
    for (let index = Math.max(0, text.length - stop.length + 1); index < start; index += 1) {
      if (text.charCodeAt(index) === opening && stop.startsWith(text.slice(index))) start = index;
    }
  }
  return start;
}

function invalid(expected: string, found: string): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `Expected "stop" to be ${expected}, found ${found}. Change the list of stop texts.`,
    { details: { option: 'stop' } },
  );
}
