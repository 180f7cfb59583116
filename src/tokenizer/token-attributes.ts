/** What a token is, as bits: a control token may also be unused, and so on (llama.cpp `llama_token_attr`). */
export const tokenAttributes = {
  unknown: 1,
  unused: 2,
  normal: 4,
  control: 8,
  userDefined: 16,
  byte: 32,
  /** White space before the token belongs to it. */
  stripLeft: 64,
  /** White space after the token belongs to it. */
  stripRight: 128,
} as const;

/** Tokens that are not part of a text. */
export const specialAttributes: number = tokenAttributes.control | tokenAttributes.unknown;

/** Tokens that are matched in the text before it is split into words. */
export const matchedAttributes: number = specialAttributes | tokenAttributes.userDefined;

/** Attribute bits by the numbers of `tokenizer.ggml.token_type`; 0 for the undefined type. */
export const attributeOfType: readonly number[] = [
  0,
  tokenAttributes.normal,
  tokenAttributes.unknown,
  tokenAttributes.control,
  tokenAttributes.userDefined,
  tokenAttributes.unused,
  tokenAttributes.byte,
];
