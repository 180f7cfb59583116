import { decodeLenient } from '../gguf/decode-utf8.ts';
import type { StringList } from '../gguf/string-list.ts';
import { PairTable } from './pair-table.ts';
import type { MergeRules } from './symbol-merger.ts';
import type { Vocabulary } from './vocabulary.ts';

const space = 0x20;

/** The ranked merges of a BPE vocabulary. Symbols are token ids, and numbers from the vocabulary's size on for texts that are no token. */
export class MergeTable implements MergeRules {
  readonly #vocabulary: Vocabulary;
  /** Ids of the texts that occur in merges without being tokens. */
  readonly #extraIds: Map<string, number> = new Map();
  readonly #ranks: PairTable;
  /** (nMerges) symbol that each merge makes. */
  readonly #merged: Int32Array;

  /** @param merges (nMerges) each two texts with a space between them, most urgent first */
  constructor(vocabulary: Vocabulary, merges: StringList) {
    this.#vocabulary = vocabulary;
    this.#ranks = new PairTable(merges.length);
    this.#merged = new Int32Array(merges.length);
    const { bytes, ends } = merges;
    let joined = new Uint8Array(256);
    let start = 0;
    for (let rank = 0; rank < ends.length; rank++) {
      const [first, end] = [start, ends[rank] as number];
      start = end;
      // From the second character: the first text may itself be a space.
      let separator = first + 1;
      while (separator < end && bytes[separator] !== space) separator++;
      if (separator + 1 >= end) continue;
      const left = this.#intern(bytes, first, separator);
      const right = this.#intern(bytes, separator + 1, end);
      if (this.#ranks.get(left, right) !== PairTable.absent) continue;
      this.#ranks.set(left, right, rank);
      const length = end - first - 1;
      if (joined.length < length) joined = new Uint8Array(length * 2);
      for (let from = first, to = 0; from < end; from++) {
        if (from !== separator) joined[to++] = bytes[from] as number;
      }
      this.#merged[rank] = this.#intern(joined, 0, length);
    }
  }

  /** The symbol of a text, or -1 if no merge and no token has it. */
  symbolOfText(text: string): number {
    const id = this.#vocabulary.idOf(text);
    return id !== -1 ? id : (this.#extraIds.get(text) ?? -1);
  }

  find(left: number, right: number): number {
    if (left === -1 || right === -1) return -1;
    const rank = this.#ranks.get(left, right);
    return rank === PairTable.absent ? -1 : rank;
  }

  priorityOf(merge: number): number {
    return merge;
  }

  symbolOf(merge: number): number {
    return this.#merged[merge] as number;
  }

  /** The symbol of a text in UTF-8, which gets one if it has none. */
  #intern(bytes: Uint8Array, start: number, end: number): number {
    const id = this.#vocabulary.idOfBytes(bytes, start, end);
    if (id !== -1) return id;
    const text = decodeLenient(bytes.subarray(start, end));
    const known = this.#extraIds.get(text);
    if (known !== undefined) return known;
    const symbol = this.#vocabulary.size + this.#extraIds.size;
    this.#extraIds.set(text, symbol);
    return symbol;
  }
}
