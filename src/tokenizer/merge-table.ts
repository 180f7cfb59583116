import { PairTable } from './pair-table.ts';
import type { MergeRules } from './symbol-merger.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The ranked merges of a BPE vocabulary. Symbols are token ids, and numbers from the vocabulary's size on for texts that are no token. */
export class MergeTable implements MergeRules {
  readonly #vocabulary: Vocabulary;
  /** Ids of the texts that occur in merges without being tokens. */
  readonly #extraIds: Map<string, number> = new Map();
  readonly #ranks: PairTable;
  /** (nMerges) symbol that each merge makes. */
  readonly #merged: Int32Array;

  /** @param merges (nMerges) each two texts with a space between them, most urgent first */
  constructor(vocabulary: Vocabulary, merges: readonly string[]) {
    this.#vocabulary = vocabulary;
    this.#ranks = new PairTable(merges.length);
    this.#merged = new Int32Array(merges.length);
    for (let rank = 0; rank < merges.length; rank++) {
      const merge = merges[rank] as string;
      // From the second character: the first text may itself be a space.
      const separator = merge.indexOf(' ', 1);
      if (separator === -1) continue;
      const leftText = merge.slice(0, separator);
      const rightText = merge.slice(separator + 1);
      if (rightText === '') continue;
      const left = this.#intern(leftText);
      const right = this.#intern(rightText);
      if (this.#ranks.get(left, right) !== PairTable.absent) continue;
      this.#ranks.set(left, right, rank);
      this.#merged[rank] = this.#intern(leftText + rightText);
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

  #intern(text: string): number {
    const known = this.symbolOfText(text);
    if (known !== -1) return known;
    const id = this.#vocabulary.size + this.#extraIds.size;
    this.#extraIds.set(text, id);
    return id;
  }
}
