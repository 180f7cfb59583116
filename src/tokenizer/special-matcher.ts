import { matchedAttributes, specialAttributes, tokenAttributes } from './token-attributes.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A piece of text between special tokens, or one special token. */
export type Fragment = { readonly id: number } | { readonly start: number; readonly end: number };

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  /** Rank in the order of matching, -1 if no token ends here. */
  rank: number;
}

/** White space of C's `isspace`, which the strip rules use. */
const stripped: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

/** Finds the special tokens written in a text (llama.cpp `tokenizer_st_partition`). */
export class SpecialMatcher {
  readonly #vocabulary: Vocabulary;
  /** Ids from the longest text to the shortest: the order in which tokens take their place. */
  readonly #ordered: readonly number[];
  readonly #root: TrieNode = { children: new Map(), rank: -1 };

  /** @param parseSpecial control and unknown tokens too, not only user-defined ones */
  constructor(vocabulary: Vocabulary, parseSpecial: boolean) {
    this.#vocabulary = vocabulary;
    const utf8 = new TextEncoder();
    const wanted = parseSpecial ? matchedAttributes : tokenAttributes.userDefined;
    const unwanted = parseSpecial ? 0 : specialAttributes;
    this.#ordered = Array.from(vocabulary.attributes.keys())
      .filter((id) => vocabulary.hasAttribute(id, wanted) && !vocabulary.hasAttribute(id, unwanted))
      .map((id) => ({ id, bytes: utf8.encode(vocabulary.textOf(id)).length }))
      .toSorted((a, b) => b.bytes - a.bytes || a.id - b.id)
      .map(({ id }) => id);
    this.#ordered.forEach((id, rank) => this.#insert(vocabulary.textOf(id), rank));
  }

  /** Cuts `text` into fragments. Offsets, also those of `guards`, are UTF-16 units. */
  split(text: string, guards: readonly number[] = []): readonly Fragment[] {
    const ranks = text === '' ? [] : this.#ranksIn(text);
    if (ranks.length === 0) return text === '' ? [] : [{ start: 0, end: text.length }];
    // Longer tokens come first, so a taken stretch never lies inside a later match: its ends tell if it is free.
    const takenUntil = new Int32Array(text.length);
    const tokens: { start: number; id: number; end: number }[] = [];
    for (const rank of ranks) {
      const id = this.#ordered[rank] as number;
      const token = this.#vocabulary.textOf(id);
      let start = text.indexOf(token);
      while (start !== -1) {
        const end = start + token.length;
        const blocked = Math.max(takenUntil[start] as number, takenUntil[end - 1] as number);
        if (blocked > 0) {
          start = text.indexOf(token, blocked);
        } else if (isGuarded(guards, start, end)) {
          start = text.indexOf(token, start + 1);
        } else {
          const [from, to] = this.#widen(text, id, start, end, takenUntil);
          takenUntil.fill(to, from, to);
          tokens.push({ start: from, id, end: to });
          start = text.indexOf(token, end);
        }
      }
    }
    return betweenTokens(tokens, text.length);
  }

  #insert(token: string, rank: number): void {
    let node = this.#root;
    for (let index = 0; index < token.length; index++) {
      const unit = token.charCodeAt(index);
      let child = node.children.get(unit);
      if (child === undefined) node.children.set(unit, (child = { children: new Map(), rank: -1 }));
      node = child;
    }
    if (node.rank === -1) node.rank = rank;
  }

  /** The tokens that occur at all, in the order of matching: a text has few of the thousands there may be. */
  #ranksIn(text: string): readonly number[] {
    const ranks = new Set<number>();
    for (let start = 0; start < text.length; start++) {
      let node = this.#root.children.get(text.charCodeAt(start));
      for (let index = start + 1; node !== undefined; index++) {
        if (node.rank !== -1) ranks.add(node.rank);
        node = index < text.length ? node.children.get(text.charCodeAt(index)) : undefined;
      }
    }
    return Array.from(ranks).toSorted((a, b) => a - b);
  }

  /** Adds the free white space that the token takes with it. */
  #widen(text: string, id: number, start: number, end: number, takenUntil: Int32Array): [number, number] {
    const isFreeSpace = (index: number): boolean =>
      takenUntil[index] === 0 && stripped.has(text.charCodeAt(index));
    let [from, to] = [start, end];
    if (this.#vocabulary.hasAttribute(id, tokenAttributes.stripLeft))
      while (from > 0 && isFreeSpace(from - 1)) from--;
    if (this.#vocabulary.hasAttribute(id, tokenAttributes.stripRight))
      while (to < text.length && isFreeSpace(to)) to++;
    return [from, to];
  }
}

function isGuarded(guards: readonly number[], start: number, end: number): boolean {
  let low = 0;
  let high = guards.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((guards[middle] as number) > start) high = middle;
    else low = middle + 1;
  }
  return low < guards.length && (guards[low] as number) < end;
}

function betweenTokens(
  tokens: { readonly start: number; readonly id: number; readonly end: number }[],
  length: number,
): readonly Fragment[] {
  const fragments: Fragment[] = [];
  let end = 0;
  for (const token of tokens.toSorted((a, b) => a.start - b.start)) {
    if (token.start > end) fragments.push({ start: end, end: token.start });
    fragments.push({ id: token.id });
    end = token.end;
  }
  if (end < length) fragments.push({ start: end, end: length });
  return fragments;
}
