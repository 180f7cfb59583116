import { RivuletError } from '../errors.ts';
import { logProbability } from '../session/log-sum-exp.ts';
import type { Candidates, Session, StepItem, StepResult, TokenScores } from '../session/session.ts';
import type { ScoredId } from './engine.ts';
import type { PlannedItem } from './plan-step.ts';
import type { RequestState } from './request-state.ts';

/**
 * Turns what a step gave for one request into events: scores while the prompt runs, `prefilled` at its end, then a
 * token per step, and `end`.
 */
export function acceptResult({ state, item }: PlannedItem, result: StepResult, session: Session): void {
  if (result.scores !== undefined) addScores(state, item, result.scores);
  if (state.held.length < state.tokens.length) return;
  if (!state.prefilled) {
    state.prefilled = true;
    state.ready.push({
      type: 'prefilled',
      cacheRead: state.cacheRead,
      queueMs: state.startedMs - state.arrivedMs,
      prefillMs: performance.now() - state.startedMs,
      ...(state.promptTop === undefined ? {} : { scores: state.scores }),
    });
    if (state.options.maxTokens === 0) {
      state.ready.push({ type: 'end', rawReason: 'max-tokens' });
      return;
    }
  }
  if (result.candidates === undefined) {
    throw new RivuletError(
      'ENGINE_FAILED',
      'Expected the engine to give candidates for the next token, found none. Please report this.',
    );
  }
  addToken(state, result.candidates, session, item);
}

function addToken(state: RequestState, candidates: Candidates, session: Session, item: StepItem): void {
  const { options, tokens } = state;
  const { id, logprob } = state.sampler.sample(candidates, (count) =>
    session.moreCandidates(item.sequence, count),
  );
  if (state.endIds.has(id) && !options.ignoreEos) {
    state.ready.push({ type: 'end', rawReason: 'eos' });
    return;
  }
  tokens.push(id);
  state.window?.push(id);
  state.ready.push({
    type: 'token',
    id,
    ...(options.logprobs === undefined ? {} : { logprob, top: rawTop(candidates) }),
  });
  if (tokens.length - state.promptLength >= options.maxTokens) {
    state.ready.push({ type: 'end', rawReason: 'max-tokens' });
  } else if (tokens.length >= session.info.contextLength) {
    state.ready.push({ type: 'end', rawReason: 'context-full' });
  }
}

function rawTop(candidates: Candidates): ScoredId[] {
  return Array.from(candidates.rawTopIds, (id, rank) => ({
    id,
    logprob: logProbability(candidates.rawTopLogits[rank]!, candidates.rawLogSumExp),
  }));
}

/** The scores of a position are those of the token after it. */
function addScores(state: RequestState, item: StepItem, scores: TokenScores): void {
  const targets = item.score?.targets ?? new Int32Array(0);
  const width = targets.length === 0 ? 0 : scores.topIds.length / targets.length;
  if (state.scores.length === 0) {
    state.scores.push({ id: state.tokens.storage[0]!, logprob: Number.NaN, top: [] });
  }
  targets.forEach((id, position) => {
    if (id < 0) return;
    const start = position * width;
    state.scores.push({
      id,
      logprob: scores.logprobs[position]!,
      top: Array.from(scores.topIds.subarray(start, start + width), (topId, rank) => ({
        id: topId,
        logprob: scores.topLogprobs[start + rank]!,
      })),
    });
  });
}
