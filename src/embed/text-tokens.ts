import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** The ids of a text, or its beginning where it is longer than a model takes. */
export interface TextTokens {
  readonly ids: Int32Array;
  /** Before it was cut. */
  readonly length: number;
}

/** A whole text between the marks of its vocabulary; what looks like a special token in it is text. */
export function tokenizeText(tokenizer: Tokenizer, text: string, limit: number): TextTokens {
  const ids = tokenizer.encode(text, { addSpecial: true });
  if (ids.length <= limit) return { ids, length: ids.length };
  const marks = (tokenizer.addEos ? 1 : 0) + (tokenizer.addSeparator === true ? 1 : 0);
  const cut = ids.slice(0, limit);
  cut.set(ids.subarray(ids.length - marks), Math.max(0, limit - marks));
  return { ids: cut, length: ids.length };
}
