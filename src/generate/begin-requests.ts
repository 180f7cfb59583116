import { dueTokens } from './plan-step.ts';
import type { HoldingState } from './plan-step.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { RequestState } from './request-state.ts';

/** A request waits for another one's prompt to be computed only when it shares at least this many tokens. */
const worthWaitingTokens = 32;

/**
 * Gives requests that are read their sequences, the highest priority first: at most `maximumRunning` hold one at once,
 * and nobody begins while another one waits for room.
 * @param fail called for those that could not begin
 */
export function beginRequests(
  live: Iterable<RequestState>,
  cache: PrefixCache,
  maximumRunning: number,
  fail: (state: RequestState, error: unknown) => void,
): void {
  const waiting: RequestState[] = [];
  const holding: HoldingState[] = [];
  let running = 0;
  let crowded = false;
  for (const state of live) {
    const isRead = state.pull !== undefined;
    if (isHolding(state)) {
      holding.push(state);
      if (isRead) running += 1;
    } else if (isRead && !state.waitsForRoom) waiting.push(state);
    if (isRead && state.waitsForRoom) crowded = true;
  }
  if (crowded || waiting.length === 0) return;
  waiting.sort((left, right) => right.options.priority - left.options.priority);
  for (const state of waiting) {
    if (running >= maximumRunning) return;
    try {
      if (!begin(state, cache, holding)) continue;
      holding.push(state as HoldingState);
      running += 1;
    } catch (error) {
      fail(state, error);
    }
  }
}

export function isHolding(state: RequestState): state is HoldingState {
  return state.held !== undefined;
}

function begin(state: RequestState, cache: PrefixCache, holding: readonly HoldingState[]): boolean {
  const hidden = !state.options.cache;
  // Scoring needs every token of the prompt to run.
  const fresh = hidden || (state.promptTop !== undefined && !state.prefilled);
  if (!fresh && isWorthWaiting(state, cache, holding)) return false;
  state.held = fresh ? cache.open(state.tokens, { hidden }) : cache.start(state.tokens);
  if (!state.prefilled) state.cacheRead = state.held.length;
  if (state.startedMs === 0) state.startedMs = performance.now();
  return true;
}

/**
 * True when a prompt that is being computed will soon hold more of this one's beginning than anything does now, and
 * waiting for it is no dearer than twice what it spares.
 */
function isWorthWaiting(
  { tokens, options }: RequestState,
  cache: PrefixCache,
  holding: readonly HoldingState[],
): boolean {
  const computing = holding.filter(
    (other) => dueTokens(other) > 1 && other.options.priority >= options.priority && other.options.cache,
  );
  if (computing.length === 0) return false;
  const available = cache.available(tokens);
  const next = tokens.storage[available];
  return computing.some((other) => {
    const limit = Math.min(other.tokens.length, tokens.length - 1);
    if (available >= limit || other.tokens.storage[available] !== next) return false;
    const common = other.tokens.commonPrefix(tokens, limit);
    const due = common - other.held.length;
    return common >= worthWaitingTokens && common > available && due <= 2 * (common - available);
  });
}
