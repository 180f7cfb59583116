import { RivuletError } from '../errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { forcedBytes } from './forced-bytes.ts';
import type { ParseState, ParseStates } from './parse-states.ts';
import type { ShortestEnds } from './shortest-ends.ts';
import type { TokenMask } from './token-mask.ts';
import type { TokenMasks } from './token-masks.ts';

/** A grammar that is ready to be followed, for one vocabulary. */
export interface CompiledGrammar {
  readonly states: ParseStates;
  readonly masks: TokenMasks;
  readonly ends: ShortestEnds;
}

export interface GrammarMaskOptions {
  /** Write the shortest end before the tokens run out. @default true */
  readonly closes?: boolean;
  /** Skip through what is certain. @default true */
  readonly jumps?: boolean;
}

/** Tokens before those to skip through, with which they are tokenized again. */
const contextTokens = 3;

export class GrammarMask implements TokenMask {
  readonly #compiled: CompiledGrammar;
  readonly #tokenizer: Tokenizer;
  readonly #options: GrammarMaskOptions;
  readonly #recent: number[] = [];
  #state: ParseState;

  constructor(compiled: CompiledGrammar, tokenizer: Tokenizer, options: GrammarMaskOptions = {}) {
    this.#compiled = compiled;
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#state = compiled.states.start();
  }

  get finished(): boolean {
    return this.#state.accepts && this.#state.readings.length === 0;
  }

  /** The text may end here. */
  get accepts(): boolean {
    return this.#state.accepts;
  }

  next(): Int32Array {
    return this.#compiled.masks.maskOf(this.#state);
  }

  accept(id: number): void {
    const after = this.#compiled.masks.after(this.#state, id);
    if (after === null) {
      throw new RivuletError(
        'GRAMMAR_STUCK',
        `Expected a token that the grammar allows, found "${this.#tokenizer.tokenText(id)}". Please report this.`,
        { details: { tokenId: id } },
      );
    }
    this.#state = after;
    if (this.#recent.push(id) > contextTokens) this.#recent.shift();
  }

  /** Whether a token may come next. */
  allows(id: number): boolean {
    return this.#compiled.masks.after(this.#state, id) !== null;
  }

  /** A text has come as part of a token of something else; where it does not fit, the answer begins behind it. */
  acceptText(text: string): void {
    let state: ParseState | null = this.#state;
    for (const byte of new TextEncoder().encode(text)) {
      state = this.#compiled.states.next(state, byte);
      if (state === null) return;
    }
    this.#state = state;
  }

  jump(): readonly number[] {
    if (this.#options.jumps === false) return [];
    const { bytes, end } = forcedBytes(this.#compiled.states, this.#state);
    if (bytes.length < 2) return [];
    const forced = decode(bytes);
    if (forced === undefined) return [];
    for (const context of [this.#recent, this.#recent.slice(-1)]) {
      if (context.length === 0) continue;
      const before = this.#tokenizer.decode(context, { special: true, cleanSpaces: false });
      const ids = [...this.#tokenizer.encode(before + forced, { parseSpecial: true })];
      if (!context.every((id, index) => ids[index] === id)) continue;
      // What comes behind may become one token with the last, unless nothing does.
      const last = end.accepts && end.readings.length === 0 ? ids.length : ids.length - 1;
      const tokens = ids.slice(context.length, last);
      return this.#canFollow(tokens) ? tokens : [];
    }
    return [];
  }

  #canFollow(tokens: readonly number[]): boolean {
    let state: ParseState | null = this.#state;
    for (const id of tokens) {
      state = this.#compiled.masks.after(state, id);
      if (state === null) return false;
    }
    return true;
  }

  close(id: number, tokensLeft: number): readonly number[] | undefined {
    if (this.#options.closes === false) return undefined;
    const { masks, ends } = this.#compiled;
    const after = masks.after(this.#state, id);
    if (after === null || ends.fits(after, tokensLeft - 1)) return undefined;
    return ends.tokens(this.#state, tokensLeft);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
