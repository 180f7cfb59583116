export interface EncodeOptions {
  /** Recognise special tokens written in the text. @default false */
  readonly parseSpecial?: boolean;
  /** Add beginning and end tokens as the vocabulary wants. @default false */
  readonly addSpecial?: boolean;
  /**
   * Ascending offsets (UTF-16 units) in the text that no special token may span: a control token written by
   * a user is text. Only meaningful with `parseSpecial`.
   */
  readonly guards?: readonly number[];
}

export interface DecodeOptions {
  /** Write special tokens out instead of leaving them away. @default false */
  readonly special?: boolean;
  /** Remove spaces before punctuation and contractions. @default what the vocabulary wants, as llama.cpp does */
  readonly cleanSpaces?: boolean;
}

/** Tokens that mark the parts of a fill-in-the-middle prompt. */
export interface FillTokens {
  readonly prefixId: number;
  readonly suffixId: number;
  readonly middleId: number;
}

/** Text to ids and back, exactly as the model was trained. */
export interface Tokenizer {
  readonly kind: 'bpe' | 'spm' | 'wordpiece' | 'unigram' | 'rwkv';
  readonly vocabularySize: number;
  /** Ids of the tokens with a role; -1 where the vocabulary has none. */
  readonly bosId: number;
  readonly eosId: number;
  readonly unknownId: number;
  readonly paddingId: number;
  /** Stands between and after texts of an encoder model; absent where the vocabulary has none. */
  readonly separatorId?: number;
  /** All ids that end a generation. */
  readonly endIds: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** A text ends in the separator. @default false */
  readonly addSeparator?: boolean;
  /** Absent when the model was not trained to fill in. */
  readonly fill?: FillTokens;
  /** Texts of the control tokens: those that must never be recognised in a user's words. */
  readonly controlTexts: readonly string[];
  /** A text begins with a space that is not part of it. @default false */
  readonly addSpacePrefix?: boolean;
  /** What the reader had to guess, for the user to know. */
  readonly warnings?: readonly string[];
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** Ids back to text; bytes that are no valid UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** The bytes that a token stands for inside a text; empty for a special token unless `special`. */
  tokenBytes(id: number, special?: boolean): Uint8Array;
  /** The token as the vocabulary spells it, for example `<|im_end|>` or `Ġthe`. */
  tokenText(id: number): string;
  /** Control and unknown tokens: not part of the text. */
  isSpecial(id: number): boolean;
  /** The id of a token by its vocabulary spelling, or -1. */
  idOf(tokenText: string): number;
}
