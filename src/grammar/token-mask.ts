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
   * With `tokensLeft` tokens to go: the tokens of the shortest end when there is no time to lose, else undefined. They
   * are not accepted yet.
   */
  close(tokensLeft: number): readonly number[] | undefined;
  /** Nothing can follow but an end token. */
  readonly finished: boolean;
}
