import { MergeQueue } from './merge-queue.ts';

const initialCapacity = 256;

/** What two neighbouring symbols become, and how urgent that is. */
export interface MergeRules {
  /** A number (>= 0) that stands for the merge of two symbols, or -1 if they do not merge. */
  find(left: number, right: number): number;
  /** Lower merges first; equal ones from left to right. */
  priorityOf(merge: number): number;
  symbolOf(merge: number): number;
}

/** Merges neighbouring symbols until no rule applies, in n log n steps (llama.cpp `llm_tokenizer_{bpe,spm}_session::tokenize`). */
export class SymbolMerger {
  /** (count) symbol ids; set before {@link merge}, reduced by it. */
  symbols: Int32Array = new Int32Array(initialCapacity);
  /** (count) length of each symbol in units of the caller's choice; summed by {@link merge}. */
  lengths: Int32Array = new Int32Array(initialCapacity);
  #previous: Int32Array = new Int32Array(initialCapacity);
  #next: Int32Array = new Int32Array(initialCapacity);
  readonly #queue: MergeQueue = new MergeQueue();

  /** Makes room for `count` symbols. What was in {@link symbols} is gone. */
  reserve(count: number): void {
    if (count <= this.symbols.length) return;
    const capacity = Math.max(count, this.symbols.length * 2);
    this.symbols = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
  }

  /** Merges the first `count` symbols in place and returns how many remain. */
  merge(count: number, rules: MergeRules): number {
    const { symbols, lengths } = this;
    const previous = this.#previous;
    const next = this.#next;
    const queue = this.#queue;
    for (let index = 0; index < count; index++) {
      previous[index] = index - 1;
      next[index] = index + 1 < count ? index + 1 : -1;
      if (index > 0) this.#offer(index - 1, index, rules);
    }
    while (queue.size > 0) {
      queue.pop();
      const { left, length, value } = queue;
      const right = next[left] as number;
      // A length of 0 marks a symbol that went into its left neighbour; a changed sum, an entry out of date.
      if (lengths[left] === 0 || right === -1) continue;
      if ((lengths[left] as number) + (lengths[right] as number) !== length) continue;
      symbols[left] = rules.symbolOf(value);
      lengths[left] = length;
      lengths[right] = 0;
      const after = next[right] as number;
      next[left] = after;
      if (after !== -1) {
        previous[after] = left;
        this.#offer(left, after, rules);
      }
      const before = previous[left] as number;
      if (before !== -1) this.#offer(before, left, rules);
    }
    let remaining = 0;
    for (let index = 0; index < count; index++) {
      if (lengths[index] === 0) continue;
      symbols[remaining] = symbols[index] as number;
      lengths[remaining++] = lengths[index] as number;
    }
    return remaining;
  }

  #offer(left: number, right: number, rules: MergeRules): void {
    const merge = rules.find(this.symbols[left] as number, this.symbols[right] as number);
    if (merge === -1) return;
    const length = (this.lengths[left] as number) + (this.lengths[right] as number);
    this.#queue.push(rules.priorityOf(merge), left, length, merge);
  }
}
