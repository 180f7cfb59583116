import { RivuletError } from '../errors.ts';
import type { Warning } from '../events.ts';
import type {
  EmbedRequest,
  EmbedResult,
  RerankRequest,
  RerankResult,
  SliceResult,
  TextProgress,
  TextSlice,
} from './text-vectors.ts';

/** Runs one slice, wherever the engine is. */
export type RunSlice = (slice: TextSlice, signal: AbortSignal | undefined) => Promise<SliceResult>;

/** Sorting by length pays within a slice; what waits for the engine is bounded by it. */
const sliceTexts = 512;
const sliceCharacters = 2 ** 20;
/** While one slice is computed the next one is tokenized. */
const slicesAtOnce = 2;

/** @throws {RivuletError} `INVALID_ARGUMENT`, what the engine throws; the signal's reason on abort */
export async function embedInSlices(request: EmbedRequest, run: RunSlice): Promise<EmbedResult> {
  const { values, onProgress, signal, ...options } = request;
  checkTexts('values', values);
  const result = await runAll(values, { onProgress, signal }, (part, first) =>
    run({ kindOfSlice: 'embed', ...options, values: part, first }, signal),
  );
  return { embeddings: result.rows, usage: { tokens: result.tokens }, warnings: result.warnings };
}

/** @throws as {@link embedInSlices} */
export async function rerankInSlices(request: RerankRequest, run: RunSlice): Promise<RerankResult> {
  const { query, documents, topN = documents?.length, onProgress, signal, ...options } = request;
  checkTexts('documents', documents);
  if (typeof query !== 'string') throw notText('query', query);
  if (topN !== undefined && !(Number.isInteger(topN) && topN >= 0)) {
    throw new RivuletError('INVALID_ARGUMENT', `Expected topN to be a whole number from 0, found ${topN}.`, {
      details: { option: 'topN' },
    });
  }
  const result = await runAll(documents, { onProgress, signal }, (part, first) =>
    run({ kindOfSlice: 'rerank', ...options, query, documents: part, first }, signal),
  );
  const ranking = result.rows
    .map((row, index) => ({ index, score: row[0] ?? 0 }))
    .toSorted((left, right) => right.score - left.score || left.index - right.index)
    .slice(0, topN);
  return { ranking, usage: { tokens: result.tokens }, warnings: result.warnings };
}

interface Progressing {
  readonly onProgress: ((progress: TextProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

async function runAll(
  texts: readonly string[],
  { onProgress, signal }: Progressing,
  run: (part: readonly string[], first: number) => Promise<SliceResult>,
): Promise<SliceResult> {
  signal?.throwIfAborted();
  const rows: Float32Array[] = Array.from({ length: texts.length });
  const warnings = new Map<string, Warning>();
  let tokens = 0;
  let done = 0;
  let next = 0;

  const work = async (): Promise<void> => {
    while (next < texts.length) {
      const first = next;
      next = endOfSlice(texts, first);
      const part = texts.slice(first, next);
      const result = await run(part, first);
      for (const [index, row] of result.rows.entries()) rows[first + index] = row;
      for (const warning of result.warnings) warnings.set(warning.message, warning);
      tokens += result.tokens;
      done += part.length;
      onProgress?.({ done, total: texts.length });
    }
  };

  const stopOthers = (error: unknown): never => {
    next = texts.length;
    throw error;
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: slicesAtOnce }, () => work().catch(stopOthers)),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { rows, tokens, warnings: [...warnings.values()] };
}

function endOfSlice(texts: readonly string[], first: number): number {
  let end = first;
  let characters = 0;
  do {
    characters += texts[end]?.length ?? 0;
    end += 1;
  } while (end < texts.length && end - first < sliceTexts && characters < sliceCharacters);
  return end;
}

/** Also for callers without types. */
function checkTexts(name: string, texts: readonly unknown[]): void {
  if (!Array.isArray(texts)) throw notText(name, texts, 'an array of texts');
  for (const [index, text] of texts.entries()) {
    if (typeof text !== 'string') throw notText(`${name}[${index}]`, text);
  }
}

function notText(name: string, found: unknown, expected = 'a text'): RivuletError {
  const kind = found === null ? 'null' : typeof found;
  return new RivuletError('INVALID_ARGUMENT', `Expected ${name} to be ${expected}, found ${kind}.`, {
    details: { option: optionOf(name) },
  });
}

/** `values` of `values[3]`. */
function optionOf(name: string): string {
  return name.replace(/\[.*$/u, '');
}
