import { RivuletError } from '../../src/errors.ts';
import { scoreTokens, selectCandidates } from '../../src/session/select-candidates.ts';
import type {
  Candidates,
  Selection,
  SequenceId,
  Session,
  SessionInfo,
  StepItem,
  StepResult,
} from '../../src/session/session.ts';
import { createTablePages } from './table-pages.ts';
import type { PageList } from './table-pages.ts';

export interface TableSessionOptions {
  readonly vocabularySize?: number;
  readonly contextLength?: number;
  readonly sequencesPerStep?: number;
  readonly tokensPerStep?: number;
  readonly cacheBytesPerToken?: number;
  /** Sequences share pages of this many tokens. Absent = a fork copies. */
  readonly pageTokens?: number;
  /** Pages that all sequences together may take. @default Infinity */
  readonly pageLimit?: number;
  /** How many last ids decide the next row. */
  readonly order?: number;
  readonly seed?: number;
  /** Duration of a step, during which its signal is heard. */
  readonly stepMs?: number;
  /** A token after which the row is NaN, as with damaged weights. */
  readonly poisonId?: number;
}

/** A small language model: an n-gram table by hash, with real sequences. Counts what it is asked to do. */
export interface TableSession extends Session {
  /** The items of every step that took effect, in order. */
  readonly steps: readonly (readonly StepItem[])[];
  /** Tokens that went through steps. */
  readonly computed: number;
  readonly moreCalls: number;
  readonly openCount: number;
  /** Steps that were refused as there were no pages for them. */
  readonly busyCount: number;
  /** Pages that sequences hold now, and the most that they held. */
  readonly usedPages: number;
  readonly peakPages: number;
  readonly disposed: boolean;
  /** What the model says after some ids. (vocabularySize,) */
  logitsAfter(ids: ArrayLike<number>): Float32Array;
}

interface Sequence {
  ids: number[];
  pages: PageList;
  row: Float32Array | undefined;
  selection: Selection | undefined;
}

export function createTableSession(options: TableSessionOptions = {}): TableSession {
  const { vocabularySize = 64, contextLength = 256, order = 3, seed = 1 } = options;
  const info: SessionInfo = {
    dialect: 'portable',
    device: 'cpu',
    threads: 1,
    vocabularySize,
    contextLength,
    sequencesPerStep: options.sequencesPerStep ?? 4,
    tokensPerStep: options.tokensPerStep ?? 16,
    cacheBytesPerToken: options.cacheBytesPerToken ?? 100,
    ...(options.pageTokens === undefined ? {} : { pageTokens: options.pageTokens }),
  };
  const pages = createTablePages(options.pageTokens ?? 1, options.pageLimit ?? Infinity);
  const sequences = new Map<SequenceId, Sequence>();
  const steps: (readonly StepItem[])[] = [];
  const counts = { computed: 0, more: 0, next: 1, busy: 0 };
  let disposed = false;
  let busy = false;

  const get = (id: SequenceId): Sequence => {
    const sequence = sequences.get(id);
    if (disposed || sequence === undefined) throw wrong(`sequence ${id} is not open`);
    return sequence;
  };

  const logitsAfter = (ids: ArrayLike<number>): Float32Array => {
    let hash = seed;
    for (let index = Math.max(0, ids.length - order); index < ids.length; index += 1) {
      hash = mix(hash ^ (ids[index]! + 0x9e37));
    }
    const poisoned = ids[ids.length - 1] === options.poisonId;
    return Float32Array.from({ length: vocabularySize }, (_, id) =>
      poisoned ? Number.NaN : logitFrom(mix(hash ^ Math.imul(id + 1, 0x85ebca6b))),
    );
  };

  const check = (items: readonly StepItem[]): void => {
    if (busy) throw wrong('two steps overlap');
    if (items.length === 0 || items.length > info.sequencesPerStep) throw wrong(`${items.length} items`);
    if (new Set(items.map((item) => item.sequence)).size < items.length)
      throw wrong('a sequence occurs twice');
    for (const { sequence, tokens } of items) {
      const length = get(sequence).ids.length + tokens.length;
      if (tokens.length === 0) throw wrong('an item without tokens');
      if (length > contextLength) {
        throw new RivuletError(
          'CONTEXT_OVERFLOW',
          `Expected at most ${contextLength} tokens, found ${length}.`,
        );
      }
    }
    const total = items.reduce((sum, item) => sum + item.tokens.length, 0);
    if (total > info.tokensPerStep) throw wrong(`${total} tokens in a step`);
  };

  const run = (item: StepItem): { readonly result: StepResult; readonly rows: Float32Array } => {
    const ids = [...get(item.sequence).ids];
    const rows = new Float32Array(item.tokens.length * vocabularySize);
    item.tokens.forEach((token, position) => {
      ids.push(token);
      rows.set(logitsAfter(ids), position * vocabularySize);
    });
    const last = rows.subarray(-vocabularySize);
    return {
      rows,
      result: {
        ...(item.select === undefined ? {} : { candidates: selectCandidates(last, item.select) }),
        ...(item.score === undefined
          ? {}
          : { scores: scoreTokens(rows, vocabularySize, item.score.targets, item.score.top) }),
        ...(item.logits === undefined ? {} : { logits: item.logits === 'all' ? rows : last }),
      },
    };
  };

  const takePages = (items: readonly StepItem[]): void => {
    try {
      pages.grow(
        items.map(({ sequence, tokens }) => {
          const { ids, pages } = get(sequence);
          return { pages, length: ids.length, more: tokens.length };
        }),
      );
    } catch (error) {
      counts.busy += 1;
      throw error;
    }
  };

  return {
    info,
    steps,
    get computed() {
      return counts.computed;
    },
    get moreCalls() {
      return counts.more;
    },
    get openCount() {
      return sequences.size;
    },
    get busyCount() {
      return counts.busy;
    },
    get usedPages() {
      return pages.used;
    },
    get peakPages() {
      return pages.peak;
    },
    get disposed() {
      return disposed;
    },
    logitsAfter,
    openSequence() {
      if (disposed) throw wrong('the session is disposed');
      sequences.set(counts.next, { ids: [], pages: [], row: undefined, selection: undefined });
      return counts.next++;
    },
    lengthOf: (sequence) => get(sequence).ids.length,
    truncate(sequence, length) {
      const state = get(sequence);
      if (length < 0 || length > state.ids.length) throw wrong(`truncate to ${length}`);
      state.ids = state.ids.slice(0, length);
      pages.truncate(state.pages, length);
      state.selection = undefined;
    },
    fork(sequence, length) {
      const { ids, pages: held } = get(sequence);
      if (length < 0 || length > ids.length) throw wrong(`fork at ${length}`);
      sequences.set(counts.next, {
        ids: ids.slice(0, length),
        pages: pages.fork(held, length),
        row: undefined,
        selection: undefined,
      });
      return counts.next++;
    },
    closeSequence(sequence) {
      const state = get(sequence);
      if (busy) throw wrong('a sequence was closed during a step');
      pages.truncate(state.pages, 0);
      sequences.delete(sequence);
    },
    async step(items, signal) {
      signal?.throwIfAborted();
      check(items);
      const before = items.map((item) => get(item.sequence).ids.length);
      takePages(items);
      busy = true;
      try {
        await wait(options.stepMs ?? 0, signal);
        const outcomes = items.map(run);
        items.forEach((item, index) => {
          const state = get(item.sequence);
          state.ids.push(...item.tokens);
          counts.computed += item.tokens.length;
          state.row = outcomes[index]!.rows.slice(-vocabularySize);
          state.selection = item.select;
        });
        steps.push(items);
        return outcomes.map((outcome) => outcome.result);
      } catch (error) {
        items.forEach((item, index) => pages.truncate(get(item.sequence).pages, before[index]!));
        throw error;
      } finally {
        busy = false;
      }
    },
    moreCandidates(sequence, count): Candidates {
      const { row, selection } = get(sequence);
      if (row === undefined || selection === undefined) throw wrong('nothing was selected');
      counts.more += 1;
      return selectCandidates(row, { ...selection, count });
    },
    ...(options.pageTokens === undefined
      ? {}
      : {
          cacheBytesOf: (held: readonly SequenceId[]) =>
            pages.countOf(held.map((id) => get(id).pages)) *
            info.cacheBytesPerToken *
            (options.pageTokens ?? 1),
        }),
    async dispose() {
      if (busy) throw wrong('disposed during a step');
      disposed = true;
      sequences.clear();
    },
  };
}

function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (delayMs === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** A sum of four uniform numbers: nearly normal, standard deviation about 2.3. */
function logitFrom(hash: number): number {
  const sum = (hash & 255) + ((hash >>> 8) & 255) + ((hash >>> 16) & 255) + (hash >>> 24);
  return (sum - 510) / 64;
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function wrong(what: string): RivuletError {
  return new RivuletError('ENGINE_FAILED', `Expected a correct use of the session, found: ${what}.`);
}
