import { RivuletError } from '../errors.ts';
import { logProbability } from '../session/log-sum-exp.ts';
import type { TokenMask } from '../grammar/token-mask.ts';
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
  const { options } = state;
  const { id, logprob } = state.sampler.sample(candidates, (count) =>
    session.moreCandidates(item.sequence, count),
  );
  if (state.endIds.has(id) && (!options.ignoreEos || state.mask !== undefined)) {
    state.ready.push({ type: 'end', rawReason: 'eos' });
    return;
  }
  const event = options.logprobs === undefined ? {} : { logprob, top: rawTop(candidates) };
  const { mask } = state;
  if (mask !== undefined && closeInstead(state, session, mask, id)) return;
  mask?.accept(id);
  if (pushToken(state, session, id, event) || mask === undefined) return;
  if (mask.finished) {
    state.ready.push({ type: 'end', rawReason: 'eos' });
    return;
  }
  // A token that was not scored has no probability to tell.
  const certain = options.logprobs === undefined ? mask.jump() : [];
  for (const next of certain) {
    // The model may write the same in fewer tokens.
    if (mask.close(next, tokensLeft(state, session)) !== undefined) break;
    mask.accept(next);
    if (pushToken(state, session, next, {})) return;
  }
  if (certain.length > 0 && mask.finished) {
    state.ready.push({ type: 'end', rawReason: 'eos' });
    return;
  }
  // Now, while only this request can fail with it; the step then has it at once.
  mask.next();
}

/** Adds a token to the output; true when it was the last one that there is room for. */
function pushToken(
  state: RequestState,
  session: Session,
  id: number,
  scored: { readonly logprob?: number; readonly top?: readonly ScoredId[] },
): boolean {
  const { tokens } = state;
  tokens.push(id);
  state.window?.push(id);
  state.ready.push({ type: 'token', id, ...scored });
  if (tokensLeft(state, session) > 0) return false;
  const rawReason = endOf(state);
  state.ready.push({ type: 'end', rawReason });
  return true;
}

function endOf(state: RequestState): 'eos' | 'max-tokens' | 'context-full' {
  if (state.mask?.finished === true) return 'eos';
  const made = state.tokens.length - state.promptLength;
  return made >= state.options.maxTokens ? 'max-tokens' : 'context-full';
}

function tokensLeft({ tokens, promptLength, options }: RequestState, session: Session): number {
  const made = tokens.length - promptLength;
  return Math.min(options.maxTokens - made, session.info.contextLength - tokens.length);
}

/**
 * An output that is held to a grammar gets the shortest end that there is in place of a token behind which none would
 * fit any more; that end is not the model's.
 */
function closeInstead(state: RequestState, session: Session, mask: TokenMask, id: number): boolean {
  const left = tokensLeft(state, session);
  const end = mask.close(id, left);
  if (end === undefined) return false;
  const made = state.tokens.length - state.promptLength;
  const rawReason = left === state.options.maxTokens - made ? 'max-tokens' : 'context-full';
  for (const id of end) {
    state.tokens.push(id);
    state.window?.push(id);
    state.ready.push({ type: 'token', id });
  }
  state.ready.push({ type: 'end', rawReason });
  return true;
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
