import { PairTable } from './pair-table.ts';
import type { SubwordEncoder } from './subword-encoder.ts';
import { type MergeRules, SymbolMerger } from './symbol-merger.ts';
import type { Vocabulary } from './vocabulary.ts';

/** 12 MB of table; a text rarely has more distinct neighbours. */
const maximumCachedPairs = 1 << 20;
/** Characters that are no token get a number once; a program that meets more of them starts over. */
const maximumExtraCharacters = 1 << 16;

/** Text to ids by the scores of the merged tokens (llama.cpp `llm_tokenizer_spm_session`). */
export class SentencePieceEncoder implements SubwordEncoder, MergeRules {
  readonly #vocabulary: Vocabulary;
  readonly #addSpacePrefix: boolean;
  readonly #unknownId: number;
  readonly #merger: SymbolMerger = new SymbolMerger();
  /** Token that two symbols make, or -1: found by text once, then by numbers. */
  readonly #pairs: PairTable = new PairTable(0);
  readonly #extraIds: Map<string, number> = new Map();
  readonly #extraTexts: string[] = [];
  /** In bytes, of which a text has one per unit of length at least. */
  readonly #longestToken: number;
  readonly #utf8: TextEncoder = new TextEncoder();

  constructor(vocabulary: Vocabulary, addSpacePrefix: boolean, unknownId: number) {
    this.#vocabulary = vocabulary;
    this.#addSpacePrefix = addSpacePrefix;
    this.#unknownId = unknownId;
    this.#longestToken = vocabulary.texts.longestBytes;
  }

  encode(text: string, output: number[], afterSpecial: boolean): void {
    if (this.#extraTexts.length > maximumExtraCharacters || this.#pairs.size > maximumCachedPairs)
      this.#forget();
    const prefix = this.#addSpacePrefix && afterSpecial ? '\u2581' : '';
    const escaped = prefix + text.replaceAll(' ', '\u2581');
    const merger = this.#merger;
    merger.reserve(escaped.length);
    let count = 0;
    for (const character of escaped) {
      merger.symbols[count] = this.#intern(character);
      merger.lengths[count++] = character.length;
    }
    const remaining = merger.merge(count, this);
    for (let index = 0; index < remaining; index++) {
      const symbol = merger.symbols[index] as number;
      if (symbol < this.#vocabulary.size) output.push(symbol);
      else this.#pushByteTokens(this.#textOf(symbol), output);
    }
  }

  find(left: number, right: number): number {
    const known = this.#pairs.get(left, right);
    if (known !== PairTable.absent) return known;
    const merged = this.#merge(left, right);
    this.#pairs.set(left, right, merged);
    return merged;
  }

  #merge(left: number, right: number): number {
    const { size } = this.#vocabulary;
    if (left < size && right < size) return this.#vocabulary.idOfPair(left, right);
    const leftText = this.#textOf(left);
    const rightText = this.#textOf(right);
    return leftText.length + rightText.length > this.#longestToken
      ? -1
      : this.#vocabulary.idOf(leftText + rightText);
  }

  priorityOf(merge: number): number {
    return -(this.#vocabulary.scores?.[merge] ?? 0);
  }

  symbolOf(merge: number): number {
    return merge;
  }

  #textOf(symbol: number): string {
    const { size } = this.#vocabulary;
    return symbol < size ? this.#vocabulary.textOf(symbol) : (this.#extraTexts[symbol - size] as string);
  }

  #intern(character: string): number {
    const id = this.#vocabulary.idOf(character);
    if (id !== -1) return id;
    const known = this.#extraIds.get(character);
    if (known !== undefined) return known;
    const symbol = this.#vocabulary.size + this.#extraTexts.length;
    this.#extraIds.set(character, symbol);
    this.#extraTexts.push(character);
    return symbol;
  }

  #forget(): void {
    this.#pairs.clear();
    this.#extraIds.clear();
    this.#extraTexts.length = 0;
  }

  #pushByteTokens(character: string, output: number[]): void {
    for (const byte of this.#utf8.encode(character)) {
      const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
      const id = this.#vocabulary.idOf(name);
      if (id !== -1) output.push(id);
      // A vocabulary without byte tokens: the reference would stop the process here.
      else if (this.#unknownId !== -1) output.push(this.#unknownId);
    }
  }
}
