import type { ParseState, ParseStates, Reading } from './parse-states.ts';
import { longToken } from './token-trie.ts';
import type { TokenTrie } from './token-trie.ts';

/** No end that anyone waits for has more bytes. */
const maximumEnd = 100_000;

/** A shortest end, byte by byte, and the fewest tokens that write it. */
interface End {
  /** -1 behind the last. */
  readonly byte: number;
  readonly next: End | undefined;
  /** Infinity where the vocabulary has none for what is needed. */
  tokens: number;
  /** The first of the tokens, and the end behind it. */
  token: number;
  behind: End | undefined;
}

const ended: End = { byte: -1, next: undefined, tokens: 0, token: -1, behind: undefined };
const impossible: End = { ...ended, tokens: Infinity };

/** The shortest ends of a grammar's texts in the tokens of one vocabulary; each state's is found once. */
export class ShortestEnds {
  readonly #states: ParseStates;
  readonly #trie: TokenTrie;
  readonly #longestToken: number;
  readonly #known = new WeakMap<ParseState, End>();

  constructor(states: ParseStates, trie: TokenTrie) {
    this.#states = states;
    this.#trie = trie;
    const [longest] = trie.longTokens;
    this.#longestToken = longest === undefined ? longToken : trie.lengths[longest]!;
  }

  /** Whether the end behind a state takes at most so many tokens. */
  fits(state: ParseState, most: number): boolean {
    const least = leastRest(state);
    // A byte is a token at most, for nearly all states that settles it.
    if (least <= most) return true;
    if (least > maximumEnd || least > most * this.#longestToken) return false;
    return this.#endOf(state).tokens <= most;
  }

  /** The tokens of the end behind a state; undefined when there are more than so many. */
  tokens(state: ParseState, most: number): number[] | undefined {
    if (!this.fits(state, most)) return undefined;
    const first = this.#endOf(state);
    if (first.tokens > most) return undefined;
    const ids: number[] = [];
    for (let end = first; end.behind !== undefined; end = end.behind) ids.push(end.token);
    return ids;
  }

  #endOf(from: ParseState): End {
    const bytes: number[] = [];
    const path: ParseState[] = [];
    let state = from;
    let end = this.#known.get(state);
    while (end === undefined && !state.accepts) {
      const byte = this.#bestByte(state);
      const next = byte < 0 ? null : this.#states.next(state, byte);
      if (next === null) break;
      bytes.push(byte);
      path.push(state);
      state = next;
      end = this.#known.get(state);
    }
    end ??= state.accepts ? ended : impossible;
    for (let index = path.length - 1; index >= 0; index -= 1) {
      end = this.#before(bytes[index]!, end);
      this.#known.set(path[index]!, end);
    }
    return end;
  }

  /** The first byte of a shortest end. */
  #bestByte({ readings }: ParseState): number {
    const { places } = this.#states;
    let best = -1;
    let least = Infinity;
    for (const { place, stack } of readings) {
      for (const { low, high, target } of places.edges(place)) {
        const cost = places.at(target, place.count).cost + (stack?.cost ?? 0);
        if (cost >= least) continue;
        least = cost;
        // A space fills better than what cannot be seen.
        best = low < 0x20 && high >= 0x20 ? 0x20 : low;
      }
    }
    return best;
  }

  /** The end that begins with a byte in front of another one. */
  #before(byte: number, next: End): End {
    const { bytes, ends, tokens, size } = this.#trie;
    const end: End = { byte, next, tokens: Infinity, token: -1, behind: undefined };
    let node = 0;
    let last = size;
    for (let at = end; at.next !== undefined; at = at.next) {
      while (node < last && bytes[node] !== at.byte) node = ends[node]!;
      if (node >= last) break;
      if (tokens[node] !== -1 && at.next.tokens < end.tokens) {
        end.tokens = at.next.tokens + 1;
        end.token = tokens[node]!;
        end.behind = at.next;
      }
      last = ends[node]!;
      node += 1;
    }
    return end;
  }
}

/** Fewest bytes from a state to an end of the text. */
function leastRest({ accepts, readings }: ParseState): number {
  if (accepts) return 0;
  let least = Infinity;
  for (const reading of readings) least = Math.min(least, costOf(reading));
  return least;
}

function costOf({ place, stack }: Reading): number {
  return place.cost + (stack?.cost ?? 0);
}
