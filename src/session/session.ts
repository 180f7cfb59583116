/** Handle of one token sequence and its key/value cache inside a session. */
export type SequenceId = number;

/** What a session is and can hold. */
export interface SessionInfo {
  readonly dialect: 'native' | 'portable';
  readonly device: 'cpu' | 'cuda' | 'webgpu';
  /** Instruction set of the kernels, for example `avx512`; of the native dialect only. */
  readonly isa?: string;
  readonly threads: number;
  readonly vocabularySize: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  /** How many sequences one step may advance. */
  readonly sequencesPerStep: number;
  /** How many tokens one step may take, so that a step stays short enough to abort between two. */
  readonly tokensPerStep: number;
  /** Bytes of cache that one token of one sequence takes. */
  readonly cacheBytesPerToken: number;
  /**
   * Tokens of a page of the cache, where sequences share pages until one of them writes: a fork then costs next to
   * nothing. Absent = a fork copies.
   */
  readonly pageTokens?: number;
}

/** Adjustments that lower or raise single logits before candidates are chosen. */
export interface Penalties {
  /** Distinct ids of the window, and how often each occurs in it. Both (nIds,). */
  readonly ids: Int32Array;
  readonly counts: Int32Array;
  /** Divides positive and multiplies negative logits of the ids; 1 = off. */
  readonly repeat: number;
  /** Subtracted per occurrence; 0 = off. */
  readonly frequency: number;
  /** Subtracted once; 0 = off. */
  readonly presence: number;
}

/** How the next-token row of a sequence is turned into candidates: bias, then penalties, then mask. */
export interface Selection {
  /** How many candidates to return at most; the whole vocabulary when at least its size. */
  readonly count: number;
  /** Added to the logits of the ids. */
  readonly bias?: ReadonlyMap<number, number>;
  readonly penalties?: Penalties;
  /** One bit per token, least significant first, 1 = allowed. (ceil(vocabularySize / 32),) */
  readonly mask?: Int32Array;
  /** Also return the best of the row as it was before any adjustment, this many. @default 0 */
  readonly rawTop?: number;
}

/** Tokens in order of falling logit, ties by id. */
export interface Candidates {
  /** (n,) */
  readonly ids: Int32Array;
  /** (n,) after bias, penalties and mask. */
  readonly logits: Float32Array;
  /** Natural logarithm of the sum of exp over the whole adjusted row. */
  readonly logSumExp: number;
  /** (n,) the same tokens' logits before any adjustment. */
  readonly rawLogits: Float32Array;
  readonly rawLogSumExp: number;
  /** The best `rawTop` of the unadjusted row; empty arrays when none were asked for. */
  readonly rawTopIds: Int32Array;
  readonly rawTopLogits: Float32Array;
}

/** How probable given next tokens were, one entry per token of a step item. */
export interface TokenScores {
  /** (nTokens,) log-probability of the target; NaN where the target is -1. */
  readonly logprobs: Float32Array;
  /** (nTokens, top) ids, best first. */
  readonly topIds: Int32Array;
  /** (nTokens, top) log-probabilities. */
  readonly topLogprobs: Float32Array;
}

/** One sequence's part of a step: tokens that follow what the sequence already holds. */
export interface StepItem {
  readonly sequence: SequenceId;
  /** (nTokens,), at least one. */
  readonly tokens: Int32Array;
  /** Choose candidates for the token after the last one. */
  readonly select?: Selection;
  /** Score the given next token of every position, with this many alternatives. */
  readonly score?: { /** (nTokens,), -1 = none */ readonly targets: Int32Array; readonly top: number };
  /** Return whole rows: of the last token, or of all. */
  readonly logits?: 'last' | 'all';
}

export interface StepResult {
  readonly candidates?: Candidates;
  readonly scores?: TokenScores;
  /** (1 or nTokens, vocabularySize) f32, valid until the session's next step. */
  readonly logits?: Float32Array;
}

/**
 * A loaded graph with the caches of its sequences. While a step runs, nothing else may be called.
 * Opening, forking and closing sequences is cheap: memory comes with the tokens.
 */
export interface Session {
  readonly info: SessionInfo;
  openSequence(): SequenceId;
  /** Tokens held by a sequence. */
  lengthOf(sequence: SequenceId): number;
  /** Forgets everything from position `length` on. */
  truncate(sequence: SequenceId, length: number): void;
  /** A new sequence with the first `length` tokens of another one. */
  fork(sequence: SequenceId, length: number): SequenceId;
  closeSequence(sequence: SequenceId): void;
  /**
   * Runs all items as one step; results come in the items' order. On failure no item's sequence has grown.
   * @throws {RivuletError} `CONTEXT_OVERFLOW`, `WEIGHTS_NOT_FINITE`, `ENGINE_FAILED`; `BUSY` before anything is
   *   computed when the cache has no room for the step: fewer items may fit, or the same after sequences were closed
   */
  step(items: readonly StepItem[], signal?: AbortSignal): Promise<readonly StepResult[]>;
  /** More candidates of the row that the sequence's last `select` looked at, with the same adjustments. */
  moreCandidates(sequence: SequenceId, count: number): Candidates;
  /**
   * Bytes of cache that open sequences take together; a page that several of them share counts once. Absent = every
   * token of every sequence takes `cacheBytesPerToken`.
   */
  cacheBytesOf?(sequences: readonly SequenceId[]): number;
  dispose(): Promise<void>;
}
