import { RivuletError } from '../errors.ts';
import type { ParseState, ParseStates, Reading } from './parse-states.ts';
import { anyCount, tooFew } from './places.ts';
import type { Place } from './places.ts';
import { createRuleMask } from './rule-mask.ts';
import type { RuleMask } from './rule-mask.ts';
import type { TokenTrie } from './token-trie.ts';

/** Masks of places in rules that many grammars share (JSON strings, free text), for one vocabulary. */
export type SharedMasks = Map<string, RuleMask>;

/** A place that goes on with at least this many different bytes costs a walk through most of the vocabulary. */
const wideBytes = 100;
/** Shared masks take 20 to 200 KB each at 150 000 tokens. */
const maximumShared = 128;
/** Masks of states per grammar; they are a cache, so all may go at once. */
const maximumMasks = 512;

/** Which tokens may come next in a state of a grammar. */
export class TokenMasks {
  readonly #trie: TokenTrie;
  readonly #states: ParseStates;
  readonly #endIds: readonly number[];
  readonly #shared: SharedMasks;
  readonly #words: number;
  readonly #masks = new Map<ParseState, Int32Array>();
  /** States along a walk, by depth. */
  readonly #path: ParseState[] = [];

  constructor(trie: TokenTrie, states: ParseStates, endIds: Iterable<number>, shared: SharedMasks) {
    this.#trie = trie;
    this.#states = states;
    this.#endIds = [...endIds].filter((id) => id >= 0 && id < trie.vocabularySize);
    this.#shared = shared;
    this.#words = Math.ceil(trie.vocabularySize / 32);
  }

  /** One bit per token, see `Selection.mask`; shared, not to be written to. End tokens where the text may end. */
  maskOf(state: ParseState): Int32Array {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    const canonical = this.#states.canonical(state);
    let mask = this.#masks.get(canonical);
    if (mask === undefined) {
      mask = this.#compute(canonical);
      this.#keep(canonical, mask);
    }
    return canonical === state ? mask : this.#correctLongTokens(state, mask);
  }

  #keep(state: ParseState, mask: Int32Array): void {
    if (this.#masks.size >= maximumMasks) this.#masks.clear();
    this.#masks.set(state, mask);
  }

  #compute(state: ParseState): Int32Array {
    const bits = new Int32Array(this.#words);
    const narrow: Reading[] = [];
    for (const reading of state.readings) {
      const shared = this.#sharedMask(reading);
      if (shared === undefined) narrow.push(reading);
      else this.#addShared(bits, reading, shared);
    }
    if (narrow.length > 0) {
      const rest = narrow.length === state.readings.length ? state : this.#states.expand(narrow);
      this.#walk(rest, 0, this.#trie.size, 0, bits);
    }
    if (state.accepts) for (const id of this.#endIds) allow(bits, id);
    if (bits.every((word) => word === 0)) throw stuck();
    return bits;
  }

  #addShared(bits: Int32Array, { place, stack }: Reading, shared: RuleMask): void {
    const { needed, left } = this.#bounds(place);
    const own = needed === 0 && left >= shared.mostCounts ? shared.bits : this.#bounded(shared, needed, left);
    for (let word = 0; word < bits.length; word += 1) bits[word]! |= own[word]!;
    if (stack === undefined) return;
    const { ends, depths } = this.#trie;
    const behind = this.#states.expand([{ place: stack.place, stack: stack.parent }]);
    shared.exits.forEach((node, index) => {
      const count = shared.exitCounts[index]!;
      if (count < needed || count > left) return;
      this.#walk(behind, node + 1, ends[node]!, depths[node]!, bits);
    });
  }

  /** How often the loop of a place has to go round still, and may. */
  #bounds(place: Place): { readonly needed: number; readonly left: number } {
    const loop = this.#states.places.loopOf(place);
    if (loop === undefined || place.count === anyCount) return { needed: 0, left: Infinity };
    if (place.count === tooFew) return { needed: Infinity, left: Infinity };
    return { needed: Math.max(0, loop.minimum - place.count), left: loop.maximum - place.count };
  }

  /** Without tokens that end a loop too early or go on too long. */
  #bounded(shared: RuleMask, needed: number, left: number): Int32Array {
    const bits = shared.bits.slice();
    const { tokens, twins } = this.#trie;
    if (left < shared.mostCounts) {
      shared.counts.forEach((count, id) => {
        if (count > left) forbid(bits, id);
      });
    }
    shared.exits.forEach((node, index) => {
      const token = tokens[node]!;
      if (token === -1 || shared.exitCounts[index]! >= needed) return;
      forbid(bits, token);
      for (const other of twins.get(token) ?? []) forbid(bits, other);
    });
    return bits;
  }

  /** Goes through nodes whose parent has the given depth and is read in the given state. */
  #walk(from: ParseState, start: number, end: number, depth: number, bits: Int32Array): void {
    const { bytes, depths, ends, tokens, twins } = this.#trie;
    const path = this.#path;
    path[depth] = from;
    let node = start;
    while (node < end) {
      const at = depths[node]!;
      const before = path[at - 1]!;
      const byte = bytes[node]!;
      const known = before.next[byte];
      const state = known === undefined ? this.#states.next(before, byte) : known;
      if (state === null) {
        node = ends[node]!;
        continue;
      }
      path[at] = state;
      const token = tokens[node]!;
      if (token !== -1) {
        allow(bits, token);
        const others = twins.get(token);
        if (others !== undefined) for (const other of others) allow(bits, other);
      }
      node += 1;
    }
  }

  #sharedMask({ place }: Reading): RuleMask | undefined {
    const { places } = this.#states;
    const signature = places.automaton.signatures[place.position]!;
    if (signature === '' || places.loopOf(place)?.isPlain === false) return undefined;
    let width = 0;
    for (const { low, high } of places.edges(place)) width += high - low + 1;
    if (width < wideBytes) return undefined;
    const key = `${places.automaton.offsets[place.position]}|${signature}`;
    let mask = this.#shared.get(key);
    if (mask === undefined) {
      mask = createRuleMask(this.#trie, this.#states, place);
      if (this.#shared.size >= maximumShared) this.#shared.clear();
      this.#shared.set(key, mask);
    }
    return mask;
  }

  /** Counts that are alike for short tokens need not be for long ones. */
  #correctLongTokens(state: ParseState, mask: Int32Array): Int32Array {
    let corrected: Int32Array | undefined;
    const { longTokens, lengths } = this.#trie;
    for (const id of longTokens) {
      if (lengths[id]! <= state.margin) break;
      const isAllowed = this.canTake(state, id);
      if (isAllowed === (((mask[id >> 5]! >>> (id & 31)) & 1) === 1)) continue;
      corrected ??= mask.slice();
      corrected[id >> 5]! ^= 1 << (id & 31);
    }
    if (corrected === undefined) {
      // Remembered, so that the next look needs no walk over the long tokens.
      this.#keep(state, mask);
      return mask;
    }
    this.#keep(state, corrected);
    return corrected;
  }

  /** Whether a token with text may come next. */
  canTake(state: ParseState, id: number): boolean {
    return this.after(state, id) !== null;
  }

  /** The state behind a token; null where it may not come, and for tokens without text. */
  after(state: ParseState, id: number): ParseState | null {
    const node = this.#trie.nodes[id] ?? -1;
    if (node < 0) return null;
    let at: ParseState | null = state;
    for (const byte of this.bytesOf(node)) {
      at = this.#states.next(at, byte);
      if (at === null) return null;
    }
    return at;
  }

  /** The text that leads to a node. */
  bytesOf(node: number): Uint8Array {
    const { bytes, depths, parents } = this.#trie;
    const text = new Uint8Array(depths[node]!);
    for (let at = node; at >= 0; at = parents[at]!) text[depths[at]! - 1] = bytes[at]!;
    return text;
  }
}

function stuck(): RivuletError {
  return new RivuletError(
    'GRAMMAR_STUCK',
    'Expected at least one token to be possible next, but the vocabulary has none for what the grammar asks for here. Allow other characters, or choose another model.',
  );
}

function allow(bits: Int32Array, id: number): void {
  bits[id >> 5]! |= 1 << (id & 31);
}

function forbid(bits: Int32Array, id: number): void {
  bits[id >> 5]! &= ~(1 << (id & 31));
}
