import type { SessionInfo } from './session.ts';

/**
 * How the rows of a text become one: their mean, the first, the last; `rank` = what the model's classification
 * head says about it; `none` = they stay as they are.
 */
export type Pooling = 'mean' | 'cls' | 'last' | 'rank' | 'none';

/** What an encoder is and can take. */
export interface EncoderInfo extends Pick<SessionInfo, 'dialect' | 'device' | 'isa' | 'threads'> {
  /** Longest text, in tokens. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** Elements of a vector. */
  readonly width: number;
  /** The file's own choice; without one the last token of models that look back only, else the mean. */
  readonly pooling: Pooling;
  /** Values of the rank head; absent = the model has none. */
  readonly labels?: number;
  /** What those values stand for, where the file tells: `yes` and `no`, for example. */
  readonly labelNames?: readonly string[];
  /** Tokens that a step is at its best with; one longer text may still come alone. */
  readonly tokensPerStep: number;
}

/** One text of a step. */
export interface EncoderItem {
  /** (nTokens,), at least one. */
  readonly tokens: Int32Array;
  readonly pooling: Pooling;
}

/** A loaded graph that makes vectors of whole texts and keeps nothing between two steps. */
export interface Encoder {
  readonly info: EncoderInfo;
  /**
   * Runs whole texts of any lengths as one step. Per item (width,) pooled but not normalised, (labels,) raw scores
   * for `rank`, (nTokens, width) for `none`. In the native dialect a text's numbers do not depend on the others.
   * Steps must not overlap.
   * @throws {RivuletError} `CONTEXT_OVERFLOW`, `INVALID_ARGUMENT`, `WEIGHTS_NOT_FINITE`, `ENGINE_FAILED`, `DISPOSED`;
   *   `UNSUPPORTED` for `rank` without a head; the signal's reason on abort
   */
  encode(items: readonly EncoderItem[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
  dispose(): Promise<void>;
}
