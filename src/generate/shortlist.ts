import { RivuletError } from '../errors.ts';
import type { Candidates } from '../session/session.ts';

/** What is known of the tokens behind the last one of a {@link Shortlist}. */
export interface Tail {
  /** How many there are at most. */
  readonly count: number;
  /** Bounds of the sum of their weights. */
  readonly low: number;
  readonly high: number;
}

/**
 * The tokens that a sampler chain still considers, best first. A weight is exp(logit - best logit), so the first
 * one is 1. With a tail, filters decide only what holds wherever the truth lies within its bounds; so a chain over
 * some candidates never differs from the chain over the whole vocabulary.
 */
export interface Shortlist {
  /** (n,) */
  readonly ids: Int32Array;
  /** (n,) logits less the best logit, falling from 0. */
  readonly depths: Float64Array;
  /** Absent when the list is complete. */
  readonly tail?: Tail;
}

/** Room for a session's rounding of the log-sum-exp: an f32 sum over a large vocabulary errs less than this. */
const sumTolerance = 1e-5;

/** The state of a chain before its first filter. @throws {RivuletError} `INVALID_ARGUMENT` when nothing is allowed */
export function toShortlist(candidates: Candidates, vocabularySize: number): Shortlist {
  const { ids, logits } = candidates;
  const best = logits[0] ?? -Infinity;
  if (best === -Infinity) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      'Expected at least one token to be allowed, but every token has probability 0 after logitBias and mask. Forbid fewer tokens.',
    );
  }
  // Infinities must not meet in a subtraction: infinite logits share all of the weight.
  const depths = Float64Array.from(logits, (logit) => (logit === best ? 0 : logit - best));
  const last = depths.at(-1) ?? 0;
  if (ids.length >= vocabularySize || last === -Infinity) return { ids, depths };
  const count = vocabularySize - ids.length;
  if (best === Infinity) return { ids, depths, tail: { count, low: 0, high: count } };
  const whole = Math.exp(candidates.logSumExp - best);
  const rest = whole - sumOfWeights(depths);
  const tolerance = whole * sumTolerance;
  const high = Math.min(Math.max(0, rest + tolerance), count * Math.exp(last));
  return { ids, depths, tail: { count, low: Math.min(Math.max(0, rest - tolerance), high), high } };
}

/** Sum of exp over depths, first to last. */
export function sumOfWeights(depths: Float64Array): number {
  let sum = 0;
  for (const depth of depths) sum += Math.exp(depth);
  return sum;
}

/** The first `count` entries, and nothing behind them. */
export function cutAfter(list: Shortlist, count: number): Shortlist {
  return { ids: list.ids.subarray(0, count), depths: list.depths.subarray(0, count) };
}
