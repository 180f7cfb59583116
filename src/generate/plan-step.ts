import type { Selection, SessionInfo, StepItem } from '../session/session.ts';
import type { HeldSequence } from './prefix-cache.ts';
import type { RequestState } from './request-state.ts';

/** One request's part of the next step. */
export interface PlannedItem {
  readonly state: HoldingState;
  readonly item: StepItem;
}

/** A request with its sequence. */
export type HoldingState = RequestState & { readonly held: HeldSequence };

/** Tokens that are known and not computed yet: 1 while a request decodes. */
export function dueTokens({ tokens, held }: HoldingState): number {
  return tokens.length - held.length;
}

/**
 * Who goes into the next step: of the requests with a pull and a sequence, those that decode take one token each,
 * and prompts share what is left of the token budget. Whoever waited longest comes first, and a place is kept for
 * a prompt, so that neither side can starve the other.
 */
export function planStep(states: readonly HoldingState[], info: SessionInfo): PlannedItem[] {
  const { sequencesPerStep, tokensPerStep } = info;
  const places = Math.min(sequencesPerStep, tokensPerStep);
  const order = states.toSorted(
    (left, right) => right.options.priority - left.options.priority || left.lastTurn - right.lastTurn,
  );
  if (places === 1) {
    return order.slice(0, 1).map((state) => planItem(state, tokensPerStep));
  }
  const prompts = order.filter((state) => !isDecoding(state));
  const decoding = order.filter(isDecoding).slice(0, prompts.length > 0 ? places - 1 : places);
  const planned = decoding.map((state) => planItem(state, 1));
  let budget = tokensPerStep - planned.length;
  for (const state of prompts) {
    if (planned.length === places || budget === 0) break;
    const next = planItem(state, budget);
    budget -= next.item.tokens.length;
    planned.push(next);
  }
  return planned;
}

/** A request that gave up its sequence has its output to compute again, as another prompt. */
export function isDecoding(state: HoldingState): boolean {
  return state.prefilled && dueTokens(state) === 1;
}

function planItem(state: HoldingState, budget: number): PlannedItem {
  const { tokens, options, promptTop, held } = state;
  const start = held.length;
  const end = Math.min(start + budget, tokens.length);
  const complete = end === tokens.length;
  return {
    state,
    item: {
      sequence: held.sequence,
      tokens: tokens.slice(start, end),
      ...(complete && options.maxTokens > 0 ? { select: selectionOf(state) } : {}),
      ...(promptTop === undefined || state.prefilled
        ? {}
        : { score: { targets: targetsOf(state, start, end), top: promptTop } }),
    },
  };
}

function selectionOf(state: RequestState): Selection {
  const { options, sampler, window } = state;
  const mask = state.mask?.next();
  return {
    count: sampler.firstCount,
    ...(options.logitBias.size === 0 ? {} : { bias: options.logitBias }),
    ...(window === undefined ? {} : { penalties: window.penalties() }),
    ...(mask === undefined ? {} : { mask }),
    ...(options.logprobs === undefined ? {} : { rawTop: options.logprobs }),
  };
}

/** The token after each position; the last one of the prompt has none yet. */
function targetsOf(state: RequestState, start: number, end: number): Int32Array {
  const targets = new Int32Array(end - start).fill(-1);
  targets.set(state.tokens.slice(start + 1, Math.min(end + 1, state.promptLength)));
  return targets;
}
