import type { Tokenizer } from './tokenizer.ts';

export interface DetokenizerOptions {
  /** Write special tokens out instead of leaving them away. @default false */
  readonly special?: boolean;
  /** The ids go on from an earlier text: a leading space belongs to them. @default false */
  readonly continuation?: boolean;
  /** Special tokens that are written out all the same: markers that a parser looks for. */
  readonly visible?: ReadonlySet<number>;
}

/** Turns ids into text as they come. */
export interface Detokenizer {
  /** The text that is certain now; a character whose bytes are incomplete waits for the next id. */
  push(id: number): string;
  /** What was held back: incomplete characters become U+FFFD. The detokenizer is then as new. */
  flush(): string;
}

/**
 * Creates a detokenizer whose joined output is `decode` of the same ids without the cleaning of spaces,
 * which would need the text that follows (llama.cpp streams in this way too).
 */
export function createDetokenizer(tokenizer: Tokenizer, options: DetokenizerOptions = {}): Detokenizer {
  const { special = false, continuation = false } = options;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let first = true;
  /** An end token that has text of its own: only the next id tells whether it was the end. */
  let heldEnd: Uint8Array | undefined;

  return {
    push(id) {
      const stripsSpace = first && !continuation && tokenizer.addSpacePrefix === true;
      const beginning = first && !special && tokenizer.addBos && id === tokenizer.bosId;
      first = false;
      const held = heldEnd === undefined ? '' : decoder.decode(heldEnd, { stream: true });
      heldEnd = undefined;
      if (beginning) return held;
      const piece = tokenizer.tokenBytes(id, special || options.visible?.has(id) === true);
      const bytes = stripsSpace && piece[0] === 0x20 ? piece.subarray(1) : piece;
      if (!special && tokenizer.addEos && id === tokenizer.eosId && bytes.length > 0) {
        heldEnd = bytes;
        return held;
      }
      return held + decoder.decode(bytes, { stream: true });
    },
    flush() {
      first = true;
      heldEnd = undefined;
      return decoder.decode();
    },
  };
}
