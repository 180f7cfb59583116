import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { Session, StepResult } from '../session/session.ts';
import { acceptResult } from './accept-result.ts';
import { beginRequests, isHolding } from './begin-requests.ts';
import type { Engine, EngineEvent, EngineRequest } from './engine.ts';
import { isBusy, makeRoom, tooLarge } from './make-room.ts';
import { nextTurn } from './next-turn.ts';
import { createParking } from './parking.ts';
import { planStep } from './plan-step.ts';
import type { HoldingState, PlannedItem } from './plan-step.ts';
import { createPrefixCache } from './prefix-cache.ts';
import { createRequestState } from './request-state.ts';
import type { RequestState } from './request-state.ts';

export interface SchedulerOptions {
  /** The file's metadata, for its `general.sampling.*` recommendations. */
  readonly fileDefaults?: Metadata;
  /** Bytes that finished sequences may hold for reuse. @default 512 MiB */
  readonly cacheBudgetBytes?: number;
  /**
   * How long a request may go unread before its sequence goes to those that are kept for reuse, where it stays only
   * while there is room, in milliseconds. It goes on as if nothing had happened when it is read again. @default 3000
   */
  readonly parkRestMs?: number;
  /** How long a request may go unread before it ends, in milliseconds. @default 30 000 */
  readonly parkLimitMs?: number;
  /** How many requests may wait for their turn to begin. @default 256 */
  readonly maximumQueue?: number;
  /**
   * How many requests may be in a step; the others wait. Those that are read again after a pause find that others
   * have begun meanwhile, and the ones that began first go on.
   * @default 32, or as many as fit a step
   */
  readonly maximumRunning?: number;
}

/**
 * Lets requests share one session, step by step. It owns the session: disposing the engine disposes it. Nothing
 * runs while nobody pulls; a request whose events are not pulled is parked and left out of the steps.
 */
export function createScheduler(session: Session, options: SchedulerOptions = {}): Engine {
  const { cacheBudgetBytes = 512 * 2 ** 20, parkRestMs = 3000, parkLimitMs = 30_000 } = options;
  const { maximumQueue = 256, maximumRunning = Math.max(32, session.info.sequencesPerStep) } = options;
  const cache = createPrefixCache(session, cacheBudgetBytes);
  const live = new Set<RequestState>();
  const parking = createParking(
    { restMs: parkRestMs, limitMs: parkLimitMs },
    (state) => releaseSequence(state),
    (state, error) => fail(state, error, 'close'),
  );
  let disposal: Promise<void> | undefined;
  let running: Promise<void> | undefined;
  /** The step that runs now; of its tokens, `left` belong to requests that have ended since. */
  let step: { readonly abort: AbortController; readonly tokens: number; left: number } | undefined;
  let turns = 0;
  /** Settled or put to rest during a step: while one runs, the session is left alone. */
  const leaving = new Set<RequestState>();

  /** Of a request that is over, or that nobody reads. */
  const releaseSequence = (state: RequestState): void => {
    const { held } = state;
    if (held === undefined || disposal !== undefined) return;
    if (state.settled === undefined && state.pull !== undefined) return;
    if (step !== undefined) {
      leaving.add(state);
      return;
    }
    state.held = undefined;
    try {
      if (state.settled !== 'close' && held.length > 0) cache.keep(held);
      else cache.close(held);
    } catch (error) {
      // This may run in a timer or a listener, where a throw would end the process.
      state.failure ??= { error };
    }
    for (const other of live) other.waitsForRoom = false;
  };

  /** Ends a request's part in the steps; harmless when it has ended. */
  const settle = (state: RequestState, sequence: 'keep' | 'close'): void => {
    if (state.settled !== undefined) return;
    state.settled = sequence;
    live.delete(state);
    parking.leave(state);
    releaseSequence(state);
  };

  const fail = (state: RequestState, error: unknown, sequence: 'keep' | 'close'): void => {
    if (state.settled !== undefined) return;
    state.failure = { error };
    if (step !== undefined) {
      step.left += state.tokensInFlight;
      // A step that is given up has no effect; the others in it are served sooner without these.
      if (step.left * 2 > step.tokens) step.abort.abort(error);
    }
    settle(state, sequence);
    state.pull?.reject(error);
    state.pull = undefined;
  };

  const plan = (): PlannedItem[] => {
    beginRequests(live, cache, maximumRunning, (state, error) => fail(state, error, 'close'));
    const ready = [...live]
      .filter(isHolding)
      .filter((state) => state.pull !== undefined && !state.waitsForRoom);
    return planStep(firstComers(ready, maximumRunning), session.info);
  };

  /** Who waits for room waits for others to end; with nobody left to wait for, one of them gets it. */
  const planAgain = (): PlannedItem[] => {
    const stuck = [...live].filter((state) => state.pull !== undefined && state.waitsForRoom);
    for (const state of stuck) state.waitsForRoom = false;
    return stuck.length === 0 ? [] : plan();
  };

  const serve = (state: RequestState): void => {
    const event = state.pull === undefined ? undefined : state.ready.shift();
    if (event === undefined) return;
    state.pull?.resolve(event);
    state.pull = undefined;
  };

  type Outcome = { readonly results: readonly StepResult[] } | { readonly error: unknown };

  const tryStep = async (planned: readonly PlannedItem[], signal: AbortSignal): Promise<Outcome> => {
    try {
      const items = planned.map(({ item }) => item);
      return { results: await session.step(items, signal) };
    } catch (error) {
      return { error };
    }
  };

  /** Runs a step; one that fails is tried again without those who are to blame. */
  const runStep = async (planned: readonly PlannedItem[], attempt = 0): Promise<void> => {
    const abort = new AbortController();
    let tokens = 0;
    for (const { state, item } of planned) {
      state.tokensInFlight = item.tokens.length;
      tokens += item.tokens.length;
      turns += 1;
      state.lastTurn = turns;
    }
    step = { abort, tokens, left: 0 };
    const outcome = await tryStep(planned, abort.signal);
    step = undefined;
    for (const { state } of planned) {
      state.tokensInFlight = 0;
      if ('results' in outcome) cache.grown(state.held);
    }
    for (const state of leaving) releaseSequence(state);
    leaving.clear();
    if ('results' in outcome) {
      const { results } = outcome;
      planned.forEach((item, index) => {
        if (item.state.settled === undefined) accept(item, results[index] ?? {});
      });
      return;
    }
    // After an abort, those who are still open are planned again.
    const open = abort.signal.aborted ? [] : planned.filter(({ state }) => state.settled === undefined);
    const [first] = open;
    if (first === undefined) return;
    if (isBusy(outcome.error)) {
      const smaller = makeRoom(open, live, cache, attempt);
      if (smaller === undefined) fail(first.state, tooLarge(first.state, outcome.error), 'close');
      else if (smaller.length > 0) await runStep(smaller, attempt + 1);
    } else if (planned.length === 1) {
      fail(first.state, outcome.error, 'close');
    } else {
      // One of them is to blame: it is looked for by halves, and alone it answers for itself.
      const half = Math.ceil(open.length / 2);
      for (const part of [open.slice(0, half), open.slice(half)]) {
        const rest = part.filter(({ state }) => state.settled === undefined);
        if (rest.length > 0) await runStep(rest);
      }
    }
  };

  const accept = (item: PlannedItem, result: StepResult): void => {
    try {
      acceptResult(item, result, session);
      serve(item.state);
    } catch (error) {
      fail(item.state, error, 'close');
    }
  };

  const run = async (): Promise<void> => {
    try {
      for (;;) {
        await nextTurn();
        if (disposal !== undefined) break;
        let planned = plan();
        if (planned.length === 0) planned = planAgain();
        if (planned.length === 0) break;
        await runStep(planned);
      }
    } catch (error) {
      for (const state of live) fail(state, error, 'close');
    }
    running = undefined;
  };

  const pull = (state: RequestState): Promise<EngineEvent> =>
    new Promise((resolve, reject) => {
      if (state.failure !== undefined) {
        reject(state.failure.error);
        return;
      }
      state.pull = { resolve, reject };
      serve(state);
      if (state.pull !== undefined) running ??= run();
    });

  const admit = (request: EngineRequest): RequestState => {
    if (disposal !== undefined) throw disposed();
    const state = createRequestState(request, session.info, options.fileDefaults);
    state.options.signal?.throwIfAborted();
    const waiting = [...live].filter((other) => other.startedMs === 0).length;
    if (waiting >= maximumQueue) {
      throw new RivuletError(
        'BUSY',
        `Expected at most ${maximumQueue} requests to wait for this model, found as many already. Try again later, or send fewer at once.`,
        { details: { maximumQueue } },
      );
    }
    live.add(state);
    return state;
  };

  async function* generate(request: EngineRequest): AsyncGenerator<EngineEvent, void, undefined> {
    const state = admit(request);
    const { signal } = state.options;
    const abort = (): void => fail(state, signal?.reason, 'keep');
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        const event = await pull(state);
        if (event.type === 'end') settle(state, 'keep');
        else parking.enter(state);
        yield event;
        if (event.type === 'end') return;
        parking.leave(state);
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      settle(state, 'keep');
    }
  }

  const dispose = async (): Promise<void> => {
    for (const state of live) fail(state, disposed(), 'close');
    await running;
    await session.dispose();
  };

  return {
    generate,
    dispose: () => {
      disposal ??= Promise.resolve().then(dispose);
      return disposal;
    },
  };
}

function firstComers(states: HoldingState[], count: number): HoldingState[] {
  if (states.length <= count) return states;
  return states
    .toSorted(
      (left, right) => right.options.priority - left.options.priority || left.startedMs - right.startedMs,
    )
    .slice(0, count);
}

function disposed(): RivuletError {
  return new RivuletError(
    'DISPOSED',
    'Expected a loaded model, but it has been disposed. Load it again to generate.',
  );
}
