/** Holds one output to a grammar, token by token. */
export interface TokenMask {
  /**
   * Tokens that may come next, one bit per token as in `Selection.mask`, not to be written to; undefined = all.
   * @throws {RivuletError} `GRAMMAR_STUCK` when no token can come next
   */
  next(): Int32Array | undefined;
  /** A token has come. @throws {RivuletError} `GRAMMAR_STUCK` when it could not */
  accept(id: number): void;
  /**
   * Tokens that will follow whatever the model says, as it would write them; empty when it has a choice. They are not
   * accepted yet.
   */
  jump(): readonly number[];
  /**
   * Asked before `id` is accepted as the first of `tokensLeft` tokens: the tokens of the shortest end when behind `id`
   * none would fit any more, else undefined; also undefined where there is no time for an end as it is.
   */
  close(id: number, tokensLeft: number): readonly number[] | undefined;
  /** Nothing can follow but an end token. */
  readonly finished: boolean;
}
