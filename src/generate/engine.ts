import type { TokenMask } from '../grammar/token-mask.ts';
import type { GenerationOptions } from './generation-options.ts';

/** A token as ids only: text begins at the detokenizer. */
export interface ScoredId {
  readonly id: number;
  /** Natural logarithm of the probability before truncation and temperature. */
  readonly logprob: number;
}

export interface EngineRequest {
  /** The prompt, exactly as the model will see it. (nTokens,), at least one token. */
  readonly prompt: Int32Array;
  readonly options: GenerationOptions;
  /** Ids that end the generation unless `options.ignoreEos`. */
  readonly endIds: ReadonlySet<number>;
  /** What the output is held to; it belongs to this request alone. */
  readonly mask?: TokenMask;
  /** Alternatives per prompt token; absent = prompt tokens are not scored. */
  readonly promptLogprobs?: number;
}

/** What an engine tells about one request, in order: `prefilled`, `token`*, `end`. */
export type EngineEvent =
  | {
      readonly type: 'prefilled';
      /** Prompt tokens whose cache was reused. */
      readonly cacheRead: number;
      readonly queueMs: number;
      readonly prefillMs: number;
      /** Per prompt token, when asked for; the first has logprob NaN. */
      readonly scores?: readonly (ScoredId & { readonly top: readonly ScoredId[] })[];
    }
  | {
      readonly type: 'token';
      readonly id: number;
      /** With `options.logprobs`. */
      readonly logprob?: number;
      readonly top?: readonly ScoredId[];
    }
  | { readonly type: 'end'; readonly rawReason: 'eos' | 'max-tokens' | 'context-full' };

/**
 * Ids to ids. `generate` is pulled: nothing is computed until the next event is asked for, a request that
 * nobody pulls is parked, and `return()` frees it.
 */
export interface Engine {
  /**
   * @throws {RivuletError} `CONTEXT_OVERFLOW` (details `promptTokens`, `contextLength`), `INVALID_ARGUMENT`,
   *   `BUSY` when too many wait already, `OUT_OF_MEMORY` when the cache is too small for this request alone (details
   *   `tokens`), `PARKED_TOO_LONG`, `GRAMMAR_STUCK`, `DISPOSED`; the signal's reason on abort.
   */
  generate(request: EngineRequest): AsyncGenerator<EngineEvent, void, undefined>;
  dispose(): Promise<void>;
}
