import type { ReasoningFormat } from '../chat/reasoning.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TokenMask } from './token-mask.ts';

export interface ThoughtBudgetOptions {
  readonly tokenizer: Tokenizer;
  readonly format: ReasoningFormat;
  /** The prompt has opened the block. */
  readonly startsInside: boolean;
  /** Tokens after which the block is closed. */
  readonly maxTokens: number;
  /** What the whole output is held to, thoughts included. */
  readonly inner?: TokenMask;
}

/** Closes a block of thoughts that has become too long. */
export class ThoughtBudget implements TokenMask {
  readonly #options: ThoughtBudgetOptions;
  readonly #closeIds: readonly number[];
  /** Tokens that come next for certain. */
  #pending: number[] = [];
  #phase: 'before' | 'inside' | 'behind';
  #count = 0;
  /** The end of the text, as long as it may hold a marker. */
  #tail = '';

  constructor(options: ThoughtBudgetOptions) {
    const { tokenizer, format } = options;
    this.#options = options;
    this.#closeIds = [...tokenizer.encode(`\n${format.close}`, { parseSpecial: true })];
    this.#phase = options.startsInside ? 'inside' : 'before';
    if (options.startsInside && options.maxTokens === 0) this.#pending = [...this.#closeIds];
  }

  get finished(): boolean {
    return this.#options.inner?.finished === true;
  }

  next(): Int32Array | undefined {
    const [pending] = this.#pending;
    if (pending === undefined) return this.#options.inner?.next();
    const mask = new Int32Array(Math.ceil(this.#options.tokenizer.vocabularySize / 32));
    mask[pending >> 5] = 1 << (pending & 31);
    return mask;
  }

  accept(id: number): void {
    this.#options.inner?.accept(id);
    if (this.#pending.length > 0) {
      this.#pending.shift();
      if (this.#pending.length === 0) this.#phase = 'behind';
      return;
    }
    if (this.#phase === 'behind') return;
    const { tokenizer, format, maxTokens } = this.#options;
    const piece = tokenizer.decode([id], { special: true, cleanSpaces: false });
    this.#tail += piece;
    if (this.#phase === 'before') {
      const at = this.#tail.indexOf(format.open);
      if (at >= 0) {
        this.#phase = 'inside';
        this.#tail = this.#tail.slice(at + format.open.length);
        // The opening token itself is no thought.
        this.#count = -1;
      } else if (this.#tail.trim() !== '' && !format.open.startsWith(this.#tail.trimStart())) {
        this.#phase = 'behind';
        return;
      } else return;
    }
    if (this.#tail.includes(format.close)) {
      this.#phase = 'behind';
      return;
    }
    this.#tail = this.#tail.slice(-format.close.length);
    this.#count += 1;
    if (this.#count >= maxTokens) this.#pending = [...this.#closeIds];
  }

  jump(): readonly number[] {
    return this.#pending.length > 0 ? [...this.#pending] : (this.#options.inner?.jump() ?? []);
  }

  close(id: number, tokensLeft: number): readonly number[] | undefined {
    return this.#options.inner?.close(id, tokensLeft);
  }
}
