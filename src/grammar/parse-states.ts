import { RivuletError } from '../errors.ts';
import type { Automaton } from './automaton.ts';
import { grammarLimits } from './grammar-limits.ts';
import { Places, anyCount, tooFew } from './places.ts';
import type { Place } from './places.ts';
import { longToken } from './token-trie.ts';

/** Where texts go on when a rule has ended; rules inside of rules are a stack of these. */
export interface Return {
  readonly id: number;
  readonly place: Place;
  /** Undefined when the rule is the root. */
  readonly parent: Return | undefined;
  /** Fewest bytes from here to the end of the text. */
  readonly cost: number;
}

/** One way to read the text so far. */
export interface Reading {
  readonly place: Place;
  readonly stack: Return | undefined;
}

/** All ways to read the text so far: a state of a deterministic automaton that is made while it is used. */
export interface ParseState {
  readonly readings: readonly Reading[];
  /** The text may end here. */
  readonly accepts: boolean;
  /** (256,) by byte; null where no text goes on, undefined where nobody looked. */
  readonly next: (ParseState | null | undefined)[];
  /** The state that has the same mask, apart from long tokens; see {@link ParseStates.canonical}. */
  canonical: ParseState | undefined;
  /** Bytes of the longest tokens for which the canonical state is alike for certain. */
  margin: number;
}

/** So many states are kept for reuse; they are a cache, so all may go at once. */
const maximumStates = 20_000;
const maximumReturns = 200_000;
const stackFactor = 2 ** 24;
/** A copy is made much faster than a new list. */
const nobodyLooked: readonly undefined[] = Array.from({ length: 256 });

/** Follows texts through a grammar, all readings at once. */
export class ParseStates {
  readonly places: Places;
  readonly #states = new Map<string, ParseState>();
  readonly #returns = new Map<number, Return>();
  #returnsMade = 0;

  constructor(automaton: Automaton) {
    this.places = new Places(automaton);
  }

  start(): ParseState {
    return this.expand([{ place: this.places.at(this.places.automaton.root, 0), stack: undefined }]);
  }

  /** @throws {RivuletError} `GRAMMAR_TOO_LARGE` for a text with too many readings */
  next(state: ParseState, byte: number): ParseState | null {
    const known = state.next[byte];
    if (known !== undefined) return known;
    const seeds: Reading[] = [];
    /** Bytes around this one for which all edges are the same. */
    let first = 0;
    let last = 255;
    for (const { place, stack } of state.readings) {
      for (const { low, high, target } of this.places.edges(place)) {
        if (byte < low) last = Math.min(last, low - 1);
        else if (byte > high) first = Math.max(first, high + 1);
        else {
          first = Math.max(first, low);
          last = Math.min(last, high);
          seeds.push({ place: this.places.at(target, place.count), stack });
        }
      }
    }
    const next = seeds.length === 0 ? null : this.expand(seeds);
    state.next.fill(next, first, last + 1);
    return next;
  }

  /** The state of all readings that begin at the given ones. */
  expand(seeds: readonly Reading[]): ParseState {
    const readings = new Map<number, Reading>();
    const seen = new Set<number>();
    const waiting = [...seeds];
    let accepts = false;
    for (let seed = waiting.pop(); seed !== undefined; seed = waiting.pop()) {
      const { place, stack } = seed;
      const key = readingKey(place, stack);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > grammarLimits.readings) throw tooAmbiguous();
      const { leaves, calls, final } = this.places.reach(place);
      for (const leaf of leaves) readings.set(readingKey(leaf, stack), { place: leaf, stack });
      for (const { start, next, tail } of calls) {
        waiting.push({ place: start, stack: tail ? stack : this.#returnTo(next, stack) });
      }
      if (!final) continue;
      if (stack === undefined) accepts = true;
      else waiting.push({ place: stack.place, stack: stack.parent });
    }
    const key = `${[...readings.keys()].sort((left, right) => left - right).join()}${accepts ? '!' : ''}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size >= maximumStates) this.#states.clear();
      state = {
        readings: [...readings.values()],
        accepts,
        next: nobodyLooked.slice(),
        canonical: undefined,
        margin: Infinity,
      };
      this.#states.set(key, state);
    }
    return state;
  }

  /**
   * A state in which counts that are far from their bounds are all alike: tokens of up to {@link longToken} bytes are
   * allowed in both or in none.
   */
  canonical(state: ParseState): ParseState {
    if (state.canonical !== undefined) return state.canonical;
    let changed = false;
    const seeds = state.readings.map(({ place, stack }): Reading => {
      const reading = { place: this.#canonicalPlace(place), stack: this.#canonicalReturn(stack) };
      if (reading.place !== place || reading.stack !== stack) changed = true;
      state.margin = Math.min(state.margin, this.#marginOf(place, reading.place));
      for (let at = stack; at !== undefined && reading.stack !== stack; at = at.parent) {
        state.margin = Math.min(state.margin, this.#marginOf(at.place, this.#canonicalPlace(at.place)));
      }
      return reading;
    });
    state.canonical = changed ? this.#withAccepts(this.expand(seeds), state.accepts) : state;
    return state.canonical;
  }

  /** Ends depend on counts only through places that are no leaves, which seeds do not have. */
  #withAccepts(state: ParseState, accepts: boolean): ParseState {
    if (state.accepts === accepts) return state;
    return { ...state, accepts, canonical: undefined };
  }

  /** Each round of a loop takes a byte at least. */
  #marginOf(place: Place, canonical: Place): number {
    const loop = this.places.loopOf(place);
    if (loop === undefined || place === canonical) return Infinity;
    return canonical.count === tooFew ? loop.minimum - place.count : loop.maximum - place.count;
  }

  #canonicalPlace(place: Place): Place {
    const loop = this.places.loopOf(place);
    const { count } = place;
    if (loop === undefined || count < 0 || loop.maximum - count <= longToken) return place;
    if (count >= loop.minimum) return this.places.at(place.position, anyCount);
    return loop.minimum - count > longToken ? this.places.at(place.position, tooFew) : place;
  }

  #canonicalReturn(stack: Return | undefined): Return | undefined {
    if (stack === undefined) return undefined;
    const place = this.#canonicalPlace(stack.place);
    const parent = this.#canonicalReturn(stack.parent);
    return place === stack.place && parent === stack.parent ? stack : this.#returnTo(place, parent);
  }

  #returnTo(place: Place, parent: Return | undefined): Return {
    const key = readingKey(place, parent);
    let found = this.#returns.get(key);
    if (found === undefined) {
      if (this.#returns.size >= maximumReturns) {
        this.#returns.clear();
        this.#states.clear();
      }
      this.#returnsMade += 1;
      found = { id: this.#returnsMade, place, parent, cost: place.cost + (parent?.cost ?? 0) };
      this.#returns.set(key, found);
    }
    return found;
  }
}

function readingKey(place: Place, stack: Return | undefined): number {
  return (stack?.id ?? 0) * stackFactor + place.id;
}

function tooAmbiguous(): RivuletError {
  return new RivuletError(
    'GRAMMAR_TOO_LARGE',
    `Expected a grammar with at most ${grammarLimits.readings} readings of one text, found more. Make its alternatives differ earlier.`,
    { details: { limit: grammarLimits.readings } },
  );
}
