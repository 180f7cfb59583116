import { RivuletError } from '../errors.ts';
import { isDecoding } from './plan-step.ts';
import type { PlannedItem } from './plan-step.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { RequestState } from './request-state.ts';

/** Whether a step failed because the cache has no room for it. */
export function isBusy(error: unknown): boolean {
  return RivuletError.isInstance(error) && error.code === 'BUSY';
}

/**
 * What to try after a step for which the cache had no room. First, kept sequences are closed, more of them with every
 * attempt. Then prompts wait, the youngest first, so that those who decode go on. At last somebody gives up its
 * sequence and computes it again later: a request that nobody reads, one that waits for room, or the youngest. So the
 * oldest goes on in any case, and all get their turn.
 * @param attempt how many have failed before, 0 at first
 * @returns the items to try now; undefined when there is nobody else left to make room
 */
export function makeRoom(
  planned: readonly PlannedItem[],
  live: Iterable<RequestState>,
  cache: PrefixCache,
  attempt: number,
): readonly PlannedItem[] | undefined {
  if (cache.closeOldest(2 ** attempt) > 0) return planned;
  const prompts = planned.filter(({ state }) => !isDecoding(state));
  const prompt = planned.length > 1 ? leastUrgent(prompts.map(({ state }) => state)) : undefined;
  if (prompt !== undefined) {
    prompt.waitsForRoom = true;
    return planned.filter(({ state }) => state !== prompt);
  }
  const holding = [...live].filter((state) => state.held !== undefined);
  if (holding.length <= 1) return undefined;
  const victim = leastUrgent(holding)!;
  giveUp(victim, cache);
  return planned.filter(({ state }) => state !== victim);
}

/** What a request gets to hear that does not even fit alone. */
export function tooLarge(state: RequestState, cause: unknown): RivuletError {
  const tokens = state.tokens.length;
  return new RivuletError(
    'OUT_OF_MEMORY',
    `Expected the cache of the engine to have room for one request of ${tokens} tokens, but it is too small for it even when it holds nothing else. Shorten the prompt, ask for fewer tokens, or give the cache more memory.`,
    { cause, details: { tokens } },
  );
}

function giveUp(state: RequestState, cache: PrefixCache): void {
  cache.close(state.held!);
  state.held = undefined;
  state.waitsForRoom = true;
  // What is not complete is scored anew.
  if (!state.prefilled) state.scores.length = 0;
}

function leastUrgent(states: readonly RequestState[]): RequestState | undefined {
  let last: RequestState | undefined;
  for (const state of states) if (last === undefined || !isMoreUrgent(state, last)) last = state;
  return last;
}

/** Compares with a request that was admitted before. */
function isMoreUrgent(state: RequestState, earlier: RequestState): boolean {
  const isRead = state.pull !== undefined;
  if (isRead !== (earlier.pull !== undefined)) return isRead;
  if (state.waitsForRoom !== earlier.waitsForRoom) return earlier.waitsForRoom;
  if (state.options.priority !== earlier.options.priority) {
    return state.options.priority > earlier.options.priority;
  }
  return state.arrivedMs < earlier.arrivedMs;
}
