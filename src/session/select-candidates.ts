import { RivuletError } from '../errors.ts';
import { logProbability, logSumExp } from './log-sum-exp.ts';
import { rankRow } from './rank-row.ts';
import type { Candidates, Penalties, Selection, TokenScores } from './session.ts';

/**
 * The JavaScript form of a session's selection: bias, penalties and mask over one row, then the best of it with
 * the log-sum-exp of the whole. Tokens without a chance (minus infinity) come last, by id. `logits` stays as it is.
 * @param logits (vocabularySize,)
 * @throws {RivuletError} `WEIGHTS_NOT_FINITE` for a row with NaN
 */
export function selectCandidates(logits: Float32Array, selection: Selection): Candidates {
  const rawTop = selection.rawTop ?? 0;
  const adjusted = adjust(logits, selection);
  if (adjusted === logits) {
    const best = rankRow(logits, Math.max(selection.count, rawTop));
    const sum = logSumExp(logits, best.largest);
    return {
      ids: best.ids.slice(0, selection.count),
      logits: best.logits.slice(0, selection.count),
      logSumExp: sum,
      rawLogits: best.logits.slice(0, selection.count),
      rawLogSumExp: sum,
      rawTopIds: best.ids.slice(0, rawTop),
      rawTopLogits: best.logits.slice(0, rawTop),
    };
  }
  const raw = rankRow(logits, rawTop);
  const best = rankRow(adjusted, selection.count);
  return {
    ids: best.ids,
    logits: best.logits,
    logSumExp: logSumExp(adjusted, best.largest),
    rawLogits: Float32Array.from(best.ids, (id) => logits[id]!),
    rawLogSumExp: logSumExp(logits, raw.largest),
    rawTopIds: raw.ids,
    rawTopLogits: raw.logits,
  };
}

/**
 * Log-probabilities of given next tokens and of the best alternatives, row by row.
 * @param logits (nTokens, vocabularySize)
 * @param targets (nTokens,), -1 = no target
 * @throws {RivuletError} `WEIGHTS_NOT_FINITE` for a row with NaN
 */
export function scoreTokens(
  logits: Float32Array,
  vocabularySize: number,
  targets: Int32Array,
  top: number,
): TokenScores {
  if (logits.length !== targets.length * vocabularySize) {
    throw new RivuletError(
      'ENGINE_FAILED',
      `Expected ${targets.length} rows of ${vocabularySize} logits to score, found ${logits.length} numbers. The graph does not fit its vocabulary; please report the model.`,
    );
  }
  const width = Math.min(top, vocabularySize);
  const logprobs = new Float32Array(targets.length);
  const topIds = new Int32Array(targets.length * width);
  const topLogprobs = new Float32Array(targets.length * width);
  targets.forEach((target, position) => {
    const row = logits.subarray(position * vocabularySize, (position + 1) * vocabularySize);
    const best = rankRow(row, width);
    const sum = logSumExp(row, best.largest);
    logprobs[position] = target < 0 ? Number.NaN : logProbability(row[target]!, sum);
    topIds.set(best.ids, position * width);
    topLogprobs.set(
      best.logits.map((logit) => logProbability(logit, sum)),
      position * width,
    );
  });
  return { logprobs, topIds, topLogprobs };
}

/** One row is adjusted at a time, so all calls share the memory of the copy. */
let scratch: Float32Array = new Float32Array(0);

function adjust(logits: Float32Array, selection: Selection): Float32Array {
  const { bias, penalties, mask } = selection;
  const biased = bias !== undefined && bias.size > 0;
  const penalized = penalties !== undefined && penalties.ids.length > 0;
  if (!biased && !penalized && mask === undefined) return logits;
  if (scratch.length < logits.length) scratch = new Float32Array(logits.length);
  const row = scratch.subarray(0, logits.length);
  row.set(logits);
  if (biased) {
    for (const [id, value] of bias) {
      // Infinite biases win over infinite logits, whose sum would be NaN; a NaN of the model stays one.
      if (id < row.length) {
        row[id] = Number.isFinite(value) || Number.isNaN(row[id]) ? row[id]! + value : value;
      }
    }
  }
  if (penalized) penalize(row, penalties);
  if (mask !== undefined) forbid(row, mask);
  return row;
}

/** llama.cpp's `llama_sampler_penalties_apply`, in its f32 arithmetic. */
function penalize(row: Float32Array, penalties: Penalties): void {
  const repeat = Math.fround(penalties.repeat);
  const frequency = Math.fround(penalties.frequency);
  const presence = Math.fround(penalties.presence);
  penalties.ids.forEach((id, index) => {
    const count = penalties.counts[index] ?? 0;
    if (count <= 0 || id < 0 || id >= row.length) return;
    const logit = row[id]!;
    const repeated = Math.fround(logit <= 0 ? logit * repeat : logit / repeat);
    row[id] = repeated - Math.fround(Math.fround(count * frequency) + presence);
  });
}

function forbid(row: Float32Array, mask: Int32Array): void {
  for (let word = 0; word * 32 < row.length; word += 1) {
    const allowed = mask[word] ?? 0;
    const start = word * 32;
    const end = Math.min(start + 32, row.length);
    if (allowed === 0) row.fill(-Infinity, start, end);
    else if (allowed !== -1) {
      for (let id = start; id < end; id += 1) {
        if (((allowed >>> (id & 31)) & 1) === 0) row[id] = -Infinity;
      }
    }
  }
}
