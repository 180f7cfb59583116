import { RivuletError } from '../errors.ts';
import type { ModelConfig } from '../graph/config.ts';
import { cacheLayers } from '../graph/portable-io.ts';
import type { CacheLayer } from '../graph/portable-io.ts';
import { scoreTokens, selectCandidates } from './select-candidates.ts';
import { SequenceCache } from './sequence-cache.ts';
import type {
  Candidates,
  Selection,
  SequenceId,
  Session,
  SessionInfo,
  StepItem,
  StepResult,
} from './session.ts';

/** Inputs of one run of the portable graph for one sequence, see `portableNames`. */
export interface PortableFeeds {
  /** (nTokens,) */
  readonly tokens: Int32Array;
  /** Position of the first token. */
  readonly position: number;
  /** Which tokens' logits are wanted; at least one. */
  readonly rows: Int32Array;
  readonly cache: SequenceCache;
}

/** ONNX Runtime of one platform, holding one loaded portable graph. */
export interface PortableRunner {
  readonly threads: number;
  readonly device: SessionInfo['device'];
  /** Logits (nRows, vocabularySize) and cache rows (nTokens, cacheWidth), both f32. */
  run(feeds: PortableFeeds): Promise<{ readonly logits: Float32Array; readonly cacheRows: Float32Array }>;
  release(): Promise<void>;
}

interface Sequence {
  readonly cache: SequenceCache;
  lastRow?: { readonly logits: Float32Array; readonly selection: Selection };
}

/**
 * A chunk should take about this long at most on one modern core pair, so that aborting between two chunks
 * is prompt: 0.15 s of 150 G multiply-adds per second and two operations each, measured on Zen 4.
 */
const chunkOperations = 0.15 * 150e9;
const chunkTokens = { minimum: 4, maximum: 256 };

/** How many tokens a model of so many parameters should take at a time. */
export function tokensPerRun(parameters: number): number {
  const tokens = 2 ** Math.floor(Math.log2(chunkOperations / (2 * parameters)));
  return Math.min(chunkTokens.maximum, Math.max(chunkTokens.minimum, tokens));
}

/** A session over the portable graph: one sequence per run, caches in JavaScript arrays. */
export class PortableSession implements Session {
  readonly info: SessionInfo;
  readonly #runner: PortableRunner;
  readonly #layers: readonly CacheLayer[];
  readonly #sequences = new Map<SequenceId, Sequence>();
  #nextId: SequenceId = 1;
  #released = false;

  constructor(
    runner: PortableRunner,
    config: ModelConfig,
    options: { readonly contextLength: number; readonly parameters: number },
  ) {
    this.#runner = runner;
    this.#layers = cacheLayers(config);
    this.info = {
      dialect: 'portable',
      device: runner.device,
      threads: runner.threads,
      vocabularySize: config.vocabularySize,
      contextLength: options.contextLength,
      sequencesPerStep: 1,
      tokensPerStep: tokensPerRun(options.parameters),
      cacheBytesPerToken: SequenceCache.bytesPerToken(this.#layers),
    };
  }

  openSequence(): SequenceId {
    return this.#add(new SequenceCache(this.#layers, this.info.contextLength));
  }

  lengthOf(sequence: SequenceId): number {
    return this.#get(sequence).cache.length;
  }

  truncate(sequence: SequenceId, length: number): void {
    const entry = this.#get(sequence);
    entry.cache.truncate(length);
    delete entry.lastRow;
  }

  fork(sequence: SequenceId, length: number): SequenceId {
    return this.#add(this.#get(sequence).cache.fork(length));
  }

  closeSequence(sequence: SequenceId): void {
    this.#sequences.delete(sequence);
  }

  async step(items: readonly StepItem[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    const lengths = items.map((item) => this.lengthOf(item.sequence));
    const results: StepResult[] = [];
    try {
      for (const item of items) results.push(await this.#run(item, signal));
    } catch (error) {
      for (const [index, item] of items.entries()) {
        this.#sequences.get(item.sequence)?.cache.truncate(lengths[index] ?? 0);
      }
      throw error;
    }
    return results;
  }

  moreCandidates(sequence: SequenceId, count: number): Candidates {
    const row = this.#get(sequence).lastRow;
    if (row === undefined) {
      throw new RivuletError('INVALID_ARGUMENT', 'Expected a sequence whose last step selected candidates.');
    }
    return selectCandidates(row.logits, { ...row.selection, count });
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#sequences.clear();
    await this.#runner.release();
  }

  async #run(item: StepItem, signal: AbortSignal | undefined): Promise<StepResult> {
    signal?.throwIfAborted();
    if (this.#released) throw new RivuletError('DISPOSED', 'The session was disposed.');
    const entry = this.#get(item.sequence);
    const { tokens } = item;
    const { vocabularySize, contextLength } = this.info;
    const position = entry.cache.length;
    if (position + tokens.length > contextLength) {
      throw new RivuletError(
        'CONTEXT_OVERFLOW',
        `The sequence would hold ${position + tokens.length} tokens, but the context is ${contextLength} tokens long.`,
        { details: { tokens: position + tokens.length, contextLength } },
      );
    }
    const outside = tokens.find((token) => token < 0 || token >= vocabularySize);
    if (outside !== undefined || tokens.length === 0) {
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected token ids from 0 to ${vocabularySize - 1}, found ${outside ?? 'none at all'}.`,
      );
    }
    const everyRow = item.logits === 'all' || item.score !== undefined;
    const rows = everyRow ? Int32Array.from(tokens.keys()) : Int32Array.of(tokens.length - 1);
    const { logits, cacheRows } = await this.#runner.run({ tokens, position, rows, cache: entry.cache });
    if (this.#released) throw new RivuletError('DISPOSED', 'The session was disposed.');
    const last = logits.subarray(logits.length - vocabularySize);
    const candidates = item.select === undefined ? undefined : selectCandidates(last, item.select);
    const scores =
      item.score === undefined
        ? undefined
        : scoreTokens(logits, vocabularySize, item.score.targets, item.score.top);
    entry.cache.append(cacheRows, tokens.length);
    if (item.select === undefined) delete entry.lastRow;
    else entry.lastRow = { logits: last, selection: item.select };
    return {
      ...(candidates === undefined ? {} : { candidates }),
      ...(scores === undefined ? {} : { scores }),
      ...(item.logits === undefined ? {} : { logits: item.logits === 'all' ? logits : last }),
    };
  }

  #add(cache: SequenceCache): SequenceId {
    const id = this.#nextId++;
    this.#sequences.set(id, { cache });
    return id;
  }

  #get(sequence: SequenceId): Sequence {
    const entry = this.#sequences.get(sequence);
    if (entry !== undefined) return entry;
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected an open sequence, found ${sequence}, which was closed or never opened.`,
    );
  }
}
