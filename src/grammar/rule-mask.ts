import type { ParseState, ParseStates } from './parse-states.ts';
import { anyCount } from './places.ts';
import type { Place } from './places.ts';
import type { TokenTrie } from './token-trie.ts';

/** What a rule without calls allows at one place, whatever stands around it and however far its loop is from its bounds. */
export interface RuleMask {
  /** Tokens that the rule can take, whole or up to its end. */
  readonly bits: Int32Array;
  /** Nodes at which the rule may end, and how often its loop went round up to there. */
  readonly exits: Int32Array;
  readonly exitCounts: Uint16Array;
  /** (vocabularySize,) how often each token lets the loop go round. */
  readonly counts: Uint16Array;
  /** The largest of the counts. */
  readonly mostCounts: number;
}

/** A walk through the whole vocabulary: some milliseconds at 150 000 tokens. */
export function createRuleMask(trie: TokenTrie, states: ParseStates, place: Place): RuleMask {
  const { bytes, depths, ends, tokens, twins, vocabularySize } = trie;
  const { places } = states;
  const bits = new Int32Array(Math.ceil(vocabularySize / 32));
  const counts = new Uint16Array(vocabularySize);
  const exits: number[] = [];
  const exitCounts: number[] = [];
  let mostCounts = 0;

  const head = places.headOf(place);
  const start = head === undefined ? place : places.at(place.position, anyCount);
  /** The state in which the loop has just gone round: the items of loops here are single characters. */
  const round =
    head === undefined ? undefined : states.expand([{ place: places.at(head, anyCount), stack: undefined }]);
  const path: ParseState[] = [states.expand([{ place: start, stack: undefined }])];
  /** Rounds along the way, by depth. */
  const rounds: number[] = [0];

  for (let node = 0; node < trie.size;) {
    const depth = depths[node]!;
    const before = path[depth - 1]!;
    const byte = bytes[node]!;
    const known = before.next[byte];
    const state = known === undefined ? states.next(before, byte) : known;
    if (state === null) {
      node = ends[node]!;
      continue;
    }
    path[depth] = state;
    const count = rounds[depth - 1]! + (state === round ? 1 : 0);
    rounds[depth] = count;
    const token = tokens[node]!;
    if (token !== -1) {
      for (const id of [token, ...(twins.get(token) ?? [])]) {
        bits[id >> 5]! |= 1 << (id & 31);
        // A character that has begun needs its place, too.
        counts[id] = state === round || state.accepts ? count : count + 1;
        mostCounts = Math.max(mostCounts, counts[id]!);
      }
    }
    if (state.accepts) {
      exits.push(node);
      exitCounts.push(count);
    }
    node += 1;
  }
  return {
    bits,
    exits: Int32Array.from(exits),
    exitCounts: Uint16Array.from(exitCounts),
    counts,
    mostCounts,
  };
}
