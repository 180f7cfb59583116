import type { Session } from '../../src/session/session.ts';
import type { RealReference } from './real-reference.ts';

export interface RealFigures {
  /** Largest difference among the reference's best 20. */
  readonly worstLogit: number;
  /** Mean absolute difference of their log-probabilities; of ours and of the reference's own quantized run. */
  readonly meanLogprobError: number;
  readonly nativeMeanLogprobError: number;
}

/** Compares the row after a prompt with the reference's f32 run. */
export async function compareRealLogits(
  session: Session,
  reference: RealReference,
  name: string,
): Promise<RealFigures> {
  const exact = promptOf(reference.f32, name);
  const native = promptOf(reference.native, name);
  const nativeLogits = new Map(native.top20);
  const sequence = session.openSequence();
  const [result] = await session.step([
    {
      sequence,
      tokens: Int32Array.from(exact.ids),
      logits: 'last',
      select: { count: 1 },
    },
  ]);
  session.closeSequence(sequence);
  const logits = result?.logits ?? new Float32Array();
  const logSumExp = result?.candidates?.logSumExp ?? Number.NaN;
  let worstLogit = 0;
  let error = 0;
  let nativeError = 0;
  let nativeCount = 0;
  for (const [id, logit] of exact.top20) {
    const ours = logits[id] ?? Number.NaN;
    const expected = logit - exact.stats.lse;
    worstLogit = Math.max(worstLogit, Math.abs(ours - logit));
    error += Math.abs(ours - logSumExp - expected);
    const theirs = nativeLogits.get(id);
    if (theirs === undefined) continue;
    nativeError += Math.abs(theirs - native.stats.lse - expected);
    nativeCount += 1;
  }
  return {
    worstLogit,
    meanLogprobError: error / exact.top20.length,
    nativeMeanLogprobError: nativeError / nativeCount,
  };
}

/** Greedy ids equal those of the reference up to the first step whose lead is below `margin`. */
export async function greedyAgreement(
  session: Session,
  reference: RealReference,
  name: string,
  margin: number,
): Promise<string> {
  const { ids, greedy } = promptOf(reference.f32, name);
  const sequence = session.openSequence();
  let tokens = Int32Array.from(ids);
  try {
    for (const [step, expected] of greedy.ids.entries()) {
      if ((greedy.steps[step]?.margin ?? 0) < margin) break;
      const [result] = await session.step([{ sequence, tokens, select: { count: 1 } }]);
      const id = result?.candidates?.ids[0] ?? -1;
      if (id !== expected) return `step ${step}: expected ${expected}, found ${id}`;
      tokens = Int32Array.of(id);
    }
    return 'agrees';
  } finally {
    session.closeSequence(sequence);
  }
}

/**
 * Perplexity as `llama-perplexity` counts it: chunks of `length` tokens, only the second half of each scored.
 */
export async function perplexity(
  session: Session,
  tokens: Int32Array,
  length: number,
  chunks: number,
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const ids = tokens.subarray(chunk * length, (chunk + 1) * length);
    const sequence = session.openSequence();
    const size = session.info.tokensPerStep;
    for (let start = 0; start < length; start += size) {
      const end = Math.min(start + size, length);
      const targets = Int32Array.from({ length: end - start }, (_, index) => ids[start + index + 1] ?? -1);
      const [result] = await session.step([
        { sequence, tokens: ids.subarray(start, end), score: { targets, top: 0 } },
      ]);
      for (const [index, logprob] of (result?.scores?.logprobs ?? []).entries()) {
        const position = start + index;
        if (position < length / 2 || position >= length - 1) continue;
        sum -= logprob;
        count += 1;
      }
    }
    session.closeSequence(sequence);
  }
  return Math.exp(sum / count);
}

function promptOf(run: RealReference['f32'], name: string): RealReference['f32']['prompts'][number] {
  const prompt = run.prompts.find((each) => each.name === name);
  if (prompt === undefined) throw new Error(`the reference has no prompt "${name}"`);
  return prompt;
}
