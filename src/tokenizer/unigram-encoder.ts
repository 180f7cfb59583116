import type { PieceNormalizer } from './piece-normalizer.ts';
import type { SubwordEncoder } from './subword-encoder.ts';
import { TextTrie } from './text-trie.ts';
import { tokenAttributes } from './token-attributes.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How much worse than the worst token a character is that no token has. */
const unknownPenalty = 10;

const inText: number = tokenAttributes.normal | tokenAttributes.userDefined | tokenAttributes.unused;

/** Text to the ids with the highest sum of scores (llama.cpp `llm_tokenizer_ugm_session`, a Viterbi search). */
export class UnigramEncoder implements SubwordEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #normalizer: PieceNormalizer;
  readonly #unknownId: number;
  readonly #unknownScore: number;
  /** Built by the first text: opening a vocabulary does not wait for it. */
  #trie: TextTrie | undefined;

  constructor(vocabulary: Vocabulary, normalizer: PieceNormalizer, unknownId: number) {
    this.#vocabulary = vocabulary;
    this.#normalizer = normalizer;
    this.#unknownId = unknownId;
    this.#unknownScore = unknownScore(vocabulary);
  }

  encode(text: string, output: number[]): void {
    const normalized = this.#normalizer.normalize(text);
    const { length } = normalized;
    if (length === 0) return;
    const trie = (this.#trie ??= this.#buildTrie());
    /** (length + 1) the best way to each place: its score, its last token, and where that token begins. */
    const scores = new Float64Array(length + 1).fill(-Number.MAX_VALUE);
    const ids = new Int32Array(length + 1).fill(this.#unknownId);
    const starts = new Int32Array(length + 1);
    scores[0] = 0;
    for (let start = 0; start < length;) {
      const score = scores[start] as number;
      const characterEnd = start + ((normalized.codePointAt(start) as number) > 0xffff ? 2 : 1);
      let hasCharacter = false;
      let node: number = TextTrie.root;
      for (let at = start; at < length; at++) {
        node = trie.child(node, normalized.charCodeAt(at));
        if (node < 0) break;
        const id = trie.idAt(node);
        if (id === -1) continue;
        const end = at + 1;
        if (end === characterEnd) hasCharacter = true;
        const challenger = score + this.#scoreOf(id);
        if (challenger > (scores[end] as number)) {
          scores[end] = challenger;
          ids[end] = id;
          starts[end] = start;
        }
      }
      if (!hasCharacter && score + this.#unknownScore > (scores[characterEnd] as number)) {
        scores[characterEnd] = score + this.#unknownScore;
        ids[characterEnd] = this.#unknownId;
        starts[characterEnd] = start;
      }
      start = characterEnd;
    }
    this.#trace(ids, starts, output);
  }

  /** Appends the tokens of the best way through the whole text; neighbouring unknown ones are one. */
  #trace(ids: Int32Array, starts: Int32Array, output: number[]): void {
    const reversed: number[] = [];
    let afterUnknown = false;
    for (let end = ids.length - 1; end > 0; end = starts[end] as number) {
      const id = ids[end] as number;
      const isUnknown = id === this.#unknownId;
      if (!(isUnknown && afterUnknown) && id !== -1) reversed.push(id);
      afterUnknown = isUnknown;
    }
    for (let index = reversed.length - 1; index >= 0; index--) output.push(reversed[index] as number);
  }

  /** Scores are logarithms, so 0 makes a user-defined token the first choice. */
  #scoreOf(id: number): number {
    const { scores } = this.#vocabulary;
    return this.#vocabulary.hasAttribute(id, tokenAttributes.userDefined) ? 0 : (scores?.[id] ?? 0);
  }

  #buildTrie(): TextTrie {
    const trie = new TextTrie();
    let id = 0;
    for (const text of this.#vocabulary.texts) {
      if (this.#vocabulary.hasAttribute(id, inText)) trie.insert(text, id);
      id++;
    }
    return trie;
  }
}

function unknownScore(vocabulary: Vocabulary): number {
  const { scores, size } = vocabulary;
  let lowest = 3.402_823_466_385_288_6e38;
  for (let id = 0; id < size; id++) {
    if (vocabulary.hasAttribute(id, tokenAttributes.normal)) lowest = Math.min(lowest, scores?.[id] ?? 0);
  }
  return Math.fround(lowest - unknownPenalty);
}
