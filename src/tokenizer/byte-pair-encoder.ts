import type { StringList } from '../gguf/string-list.ts';
import { byteLevelAlphabet } from './byte-level-alphabet.ts';
import { MergeTable } from './merge-table.ts';
import type { PreTokenizer } from './pre-tokenizers.ts';
import { splitWords, type SplitRule } from './split-words.ts';
import type { SubwordEncoder } from './subword-encoder.ts';
import { SymbolMerger } from './symbol-merger.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Longer words are rare and would only push the frequent ones out. */
const maximumCachedWordLength = 32;
/** Some 4 MB; natural text has fewer distinct words than this per million characters. */
const maximumCachedWords = 32_768;

const firstPrintable = 0x21;
const lastPrintable = 0x7e;

/** Words to ids by ranked merges (llama.cpp `llm_tokenizer_bpe_session::tokenize`). */
export class BytePairEncoder implements SubwordEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: PreTokenizer;
  /** Until the table is built from them. */
  #merges: StringList | undefined;
  readonly #rules: readonly SplitRule[];
  readonly #byteLevel: boolean;
  readonly #merger: SymbolMerger = new SymbolMerger();
  readonly #words: Map<string, readonly number[]> = new Map();
  readonly #utf8: TextEncoder = new TextEncoder();
  #bytes: Uint8Array = new Uint8Array(256);
  /** Built by the first word that needs it: opening a vocabulary does not wait for its merges. */
  #table: MergeTable | undefined;
  /** (256) symbol of each byte, -1 where neither a token nor a merge has it. */
  #byteSymbols: Int32Array | undefined;

  constructor(vocabulary: Vocabulary, preTokenizer: PreTokenizer, merges: StringList) {
    this.#vocabulary = vocabulary;
    this.#preTokenizer = preTokenizer;
    this.#merges = merges;
    this.#rules = preTokenizer.rules();
    this.#byteLevel = preTokenizer.byteLevel ?? true;
  }

  encode(text: string, output: number[]): void {
    const escaped = this.#preTokenizer.escapeSpaces === true ? text.replaceAll(' ', '\u2581') : text;
    for (const word of splitWords(escaped, this.#rules)) {
      const ids = this.#words.get(word) ?? this.#encodeWord(word);
      for (const id of ids) output.push(id);
    }
  }

  #encodeWord(word: string): readonly number[] {
    const whole = this.#wholeWord(word);
    const ids =
      whole === -1 ? (this.#byteLevel ? this.#mergeBytes(word) : this.#mergeCharacters(word)) : [whole];
    if (word.length <= maximumCachedWordLength) {
      if (this.#words.size >= maximumCachedWords) this.#words.clear();
      // A copy: a slice as key would keep the whole text it was cut from in memory.
      this.#words.set(` ${word}`.slice(1), ids);
    }
    return ids;
  }

  #wholeWord(word: string): number {
    const { ignoreMerges, wholeNewlines } = this.#preTokenizer;
    if (ignoreMerges === true) return this.#vocabulary.idOf(this.#byteLevel ? this.#spell(word) : word);
    return wholeNewlines === true && /^\n+$/.test(word) ? this.#vocabulary.idOf(word) : -1;
  }

  #spell(word: string): string {
    const count = this.#toBytes(word);
    let spelling = '';
    for (let index = 0; index < count; index++) spelling += byteLevelAlphabet[this.#bytes[index] as number];
    return spelling;
  }

  #mergeBytes(word: string): readonly number[] {
    const table = this.#mergeTable();
    const byteSymbols = (this.#byteSymbols ??= Int32Array.from(byteLevelAlphabet, (character) =>
      table.symbolOfText(character),
    ));
    const merger = this.#merger;
    const count = this.#toBytes(word);
    merger.reserve(count);
    for (let index = 0; index < count; index++) {
      merger.symbols[index] = byteSymbols[this.#bytes[index] as number] as number;
      merger.lengths[index] = 1;
    }
    const ids: number[] = [];
    const remaining = merger.merge(count, table);
    let offset = 0;
    for (let index = 0; index < remaining; index++) {
      const symbol = merger.symbols[index] as number;
      const end = offset + (merger.lengths[index] as number);
      if (symbol >= 0 && symbol < this.#vocabulary.size) ids.push(symbol);
      else this.#pushPrintable(offset, end, ids);
      offset = end;
    }
    return ids;
  }

  /** What the reference does with a merge result that is no token: only its characters of one UTF-8 byte can still be found. */
  #pushPrintable(start: number, end: number, ids: number[]): void {
    for (let index = start; index < end; index++) {
      const byte = this.#bytes[index] as number;
      if (byte < firstPrintable || byte > lastPrintable) continue;
      const id = this.#vocabulary.idOf(String.fromCharCode(byte));
      if (id !== -1) ids.push(id);
    }
  }

  #mergeCharacters(word: string): readonly number[] {
    const table = this.#mergeTable();
    const merger = this.#merger;
    merger.reserve(word.length);
    let count = 0;
    for (const character of word) {
      merger.symbols[count] = table.symbolOfText(character);
      merger.lengths[count++] = character.length;
    }
    const ids: number[] = [];
    const remaining = merger.merge(count, table);
    let offset = 0;
    for (let index = 0; index < remaining; index++) {
      const symbol = merger.symbols[index] as number;
      const end = offset + (merger.lengths[index] as number);
      if (symbol >= 0 && symbol < this.#vocabulary.size) ids.push(symbol);
      else this.#pushByteTokens(word.slice(offset, end), ids);
      offset = end;
    }
    return ids;
  }

  #pushByteTokens(text: string, ids: number[]): void {
    for (const byte of this.#utf8.encode(text)) {
      const id = this.#vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
      if (id !== -1) ids.push(id);
    }
  }

  #mergeTable(): MergeTable {
    if (this.#merges !== undefined) {
      this.#table = new MergeTable(this.#vocabulary, this.#merges);
      this.#merges = undefined;
    }
    return this.#table as MergeTable;
  }

  /** Writes the UTF-8 bytes of a word to the start of the shared buffer and returns their number. */
  #toBytes(word: string): number {
    if (this.#bytes.length < word.length * 3) this.#bytes = new Uint8Array(word.length * 3);
    return this.#utf8.encodeInto(word, this.#bytes).written;
  }
}
