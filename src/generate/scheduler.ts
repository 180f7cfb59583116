import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { Session } from '../session/session.ts';
import { acceptResult } from './accept-result.ts';
import type { Engine, EngineEvent, EngineRequest } from './engine.ts';
import { nextTurn } from './next-turn.ts';
import { createParking } from './parking.ts';
import { planStep } from './plan-step.ts';
import type { PlannedItem } from './plan-step.ts';
import { createPrefixCache } from './prefix-cache.ts';
import type { HeldSequence } from './prefix-cache.ts';
import { createRequestState } from './request-state.ts';
import type { RequestState } from './request-state.ts';

export interface SchedulerOptions {
  /** The file's metadata, for its `general.sampling.*` recommendations. */
  readonly fileDefaults?: Metadata;
  /** Bytes that finished sequences may hold for reuse. @default 512 MiB */
  readonly cacheBudgetBytes?: number;
  /** How long a request may go unread before its sequence is freed, in milliseconds. @default 30 000 */
  readonly parkLimitMs?: number;
  /** How many requests may wait for their turn to begin. @default 256 */
  readonly maximumQueue?: number;
  /** How many requests that are being read may hold a sequence at once; the others wait. @default 32 */
  readonly maximumRunning?: number;
}

/** A request waits for another one's prompt to be computed only when it shares at least this many tokens. */
const worthWaitingTokens = 32;

type HoldingState = RequestState & HeldSequence;

/**
 * Lets requests share one session, step by step. It owns the session: disposing the engine disposes it. Nothing
 * runs while nobody pulls; a request whose events are not pulled is parked and left out of the steps.
 */
export function createScheduler(session: Session, options: SchedulerOptions = {}): Engine {
  const { cacheBudgetBytes = 512 * 2 ** 20, parkLimitMs = 30_000 } = options;
  const { maximumQueue = 256, maximumRunning = 32 } = options;
  const cache = createPrefixCache(session, cacheBudgetBytes);
  const live = new Set<RequestState>();
  const parking = createParking(parkLimitMs, (state, error) => fail(state, error, 'close'));
  let disposal: Promise<void> | undefined;
  let running: Promise<void> | undefined;
  let stepAbort: AbortController | undefined;
  let turns = 0;

  const releaseSequence = (state: RequestState): void => {
    const { sequence, tokens } = state;
    if (sequence === undefined || state.inFlight || disposal !== undefined) return;
    state.sequence = undefined;
    try {
      if (state.settled === 'keep' && session.lengthOf(sequence) > 0) cache.keep({ sequence, tokens });
      else session.closeSequence(sequence);
    } catch (error) {
      // This may run in a timer or a listener, where a throw would end the process.
      state.failure ??= { error };
    }
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
    // The others in the step lose only time: a step that fails has no effect and is tried again without this one.
    if (state.inFlight) stepAbort?.abort(error);
    settle(state, sequence);
    state.pull?.reject(error);
    state.pull = undefined;
  };

  const holders = (): HoldingState[] =>
    [...live].filter((state): state is HoldingState => state.sequence !== undefined);

  /**
   * True when a prompt that is being computed will soon hold more of this one's beginning than anything does now,
   * and waiting for it is no dearer than twice what it spares.
   */
  const isWorthWaiting = (state: RequestState, others: readonly HoldingState[]): boolean => {
    const computing = others.filter((other) => !other.prefilled);
    if (computing.length === 0) return false;
    const available = cache.available(state.tokens, others);
    return computing.some((other) => {
      const limit = Math.min(other.promptLength, state.promptLength - 1);
      const common = other.tokens.commonPrefix(state.tokens, limit);
      const dueTokens = common - session.lengthOf(other.sequence);
      return common >= worthWaitingTokens && common > available && dueTokens <= 2 * (common - available);
    });
  };

  /** Gives a request its sequence, if it is its turn to begin. */
  const begin = (state: RequestState): void => {
    const others = holders();
    if (others.filter((other) => other.pull !== undefined).length >= maximumRunning) return;
    // Scoring needs every token of the prompt to run.
    const fresh = state.promptTop !== undefined;
    if (!fresh && isWorthWaiting(state, others)) return;
    const started = fresh
      ? { sequence: session.openSequence(), cached: 0 }
      : cache.start(state.tokens, others);
    state.sequence = started.sequence;
    state.cacheRead = started.cached;
    state.startedMs = performance.now();
  };

  const plan = (): PlannedItem[] => {
    const waiting = [...live]
      .filter((state) => state.pull !== undefined && state.sequence === undefined)
      .sort((left, right) => right.options.priority - left.options.priority);
    for (const state of waiting) {
      try {
        begin(state);
      } catch (error) {
        fail(state, error, 'close');
      }
    }
    return planStep(
      holders().filter((state) => state.pull !== undefined),
      session,
    );
  };

  const serve = (state: RequestState): void => {
    const event = state.pull === undefined ? undefined : state.ready.shift();
    if (event === undefined) return;
    state.pull?.resolve(event);
    state.pull = undefined;
  };

  const runStep = async (planned: readonly PlannedItem[]): Promise<void> => {
    stepAbort = new AbortController();
    for (const { state } of planned) {
      state.inFlight = true;
      turns += 1;
      state.lastTurn = turns;
    }
    let outcome: { readonly results: Awaited<ReturnType<Session['step']>> } | { readonly error: unknown };
    try {
      outcome = {
        results: await session.step(
          planned.map(({ item }) => item),
          stepAbort.signal,
        ),
      };
    } catch (error) {
      outcome = { error };
    }
    const wasAborted = stepAbort.signal.aborted;
    stepAbort = undefined;
    for (const { state } of planned) {
      state.inFlight = false;
      if (state.settled !== undefined) releaseSequence(state);
    }
    const open = planned.filter(({ state }) => state.settled === undefined);
    if ('results' in outcome) {
      const { results } = outcome;
      planned.forEach((item, index) => {
        if (item.state.settled === undefined) accept(item, results[index] ?? {});
      });
    } else if (wasAborted) {
      // Those who are still open are planned again.
    } else if (planned.length === 1) {
      for (const { state } of open) fail(state, outcome.error, 'close');
    } else {
      // One of them is to blame: alone, each answers for itself.
      for (const item of open) if (item.state.settled === undefined) await runStep([item]);
    }
  };

  const accept = (item: PlannedItem, result: Awaited<ReturnType<Session['step']>>[number]): void => {
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
        const planned = disposal === undefined ? plan() : [];
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
    const waiting = [...live].filter((other) => other.sequence === undefined).length;
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

function disposed(): RivuletError {
  return new RivuletError(
    'DISPOSED',
    'Expected a loaded model, but it has been disposed. Load it again to generate.',
  );
}
