import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import { readFileSampling } from './file-sampling.ts';
import type { GenerationOptions, SamplerName } from './generation-options.ts';
import type { PenaltyOptions } from './penalty-window.ts';
import { randomSeed } from './random.ts';
import type { SamplerOptions } from './sampler.ts';
import { checkStops } from './stop-text.ts';

/** A request's options with every gap filled. */
export interface ResolvedOptions extends SamplerOptions, PenaltyOptions {
  /** Infinity = up to the end of the context. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly ignoreEos: boolean;
  readonly logitBias: ReadonlyMap<number, number>;
  /** Alternatives per token; undefined = no probabilities at all. */
  readonly logprobs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly priority: number;
  readonly cache: boolean;
}

/** llama.cpp's order (`common_params_sampling::samplers`), of the steps that exist here. */
const defaultSamplers: readonly SamplerName[] = [
  'penalties',
  'top-k',
  'typical',
  'top-p',
  'min-p',
  'temperature',
];

/** The documented bound of `logprobs` and `promptLogprobs`: each token carries this many texts. */
const maximumLogprobs = 100;

/**
 * Request over file over the defaults of {@link GenerationOptions}. A value of the file that cannot be meant is an
 * error only while the request leaves that option open.
 * @throws {RivuletError} `INVALID_ARGUMENT`, `METADATA_WRONG_TYPE`
 */
export function resolveOptions(
  options: GenerationOptions,
  vocabularySize: number,
  file?: Metadata,
): ResolvedOptions {
  const fromFile = readFileSampling(file);
  const samplers = options.samplers ?? fromFile.samplers() ?? defaultSamplers;
  checkSamplers(samplers);
  const penalized = samplers.includes('penalties');
  const repeatPenalty = number('repeatPenalty', options.repeatPenalty ?? fromFile.repeatPenalty() ?? 1, {
    above: 0,
  });
  const frequencyPenalty = number('frequencyPenalty', options.frequencyPenalty ?? 0, {});
  const presencePenalty = number('presencePenalty', options.presencePenalty ?? 0, {});
  const stop = options.stop ?? [];
  checkStops(stop);
  return {
    maxTokens:
      options.maxTokens === undefined
        ? Infinity
        : number('maxTokens', options.maxTokens, { from: 0, whole: true }),
    temperature: number('temperature', options.temperature ?? fromFile.temperature() ?? 0.8, { from: 0 }),
    topK: number('topK', options.topK ?? fromFile.topK() ?? 40, { from: 0, whole: true }),
    topP: number('topP', options.topP ?? fromFile.topP() ?? 0.95, { from: 0, to: 1 }),
    minP: number('minP', options.minP ?? fromFile.minP() ?? 0.05, { from: 0, to: 1 }),
    typicalP: number('typicalP', options.typicalP ?? 1, { from: 0, to: 1 }),
    repeatPenalty: penalized ? repeatPenalty : 1,
    frequencyPenalty: penalized ? frequencyPenalty : 0,
    presencePenalty: penalized ? presencePenalty : 0,
    repeatLastN: number('repeatLastN', options.repeatLastN ?? fromFile.repeatLastN() ?? 64, {
      from: -1,
      whole: true,
    }),
    seed: number('seed', options.seed ?? randomSeed(), { from: 0, whole: true }),
    samplers,
    stop,
    ignoreEos: options.ignoreEos ?? false,
    logitBias: checkLogitBias(options.logitBias ?? new Map(), vocabularySize),
    logprobs: options.logprobs === undefined ? undefined : checkLogprobs('logprobs', options.logprobs),
    signal: options.signal,
    priority: number('priority', options.priority ?? 0, {}),
    cache: checkCache(options.cache ?? true),
  };
}

/** @throws {RivuletError} `INVALID_ARGUMENT` */
export function checkLogprobs(name: 'logprobs' | 'promptLogprobs', value: number): number {
  return number(name, value, { from: 0, to: maximumLogprobs, whole: true });
}

interface Range {
  readonly from?: number;
  readonly above?: number;
  readonly to?: number;
  readonly whole?: boolean;
}

function number(name: string, value: unknown, range: Range): number {
  const { from = -Infinity, above = -Infinity, to = Infinity, whole = false } = range;
  if (
    typeof value === 'number' &&
    (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= from &&
    value > above &&
    value <= to
  ) {
    return value;
  }
  const bounds = [
    whole ? 'a whole number' : 'a finite number',
    ...(range.from === undefined ? [] : [`of at least ${range.from}`]),
    ...(range.above === undefined ? [] : [`above ${range.above}`]),
    ...(range.to === undefined ? [] : [`up to ${range.to}`]),
  ].join(' ');
  throw invalid(name, bounds, `${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
}

function checkCache(cache: unknown): boolean {
  if (typeof cache === 'boolean') return cache;
  throw invalid('cache', 'true or false', JSON.stringify(cache) ?? typeof cache);
}

function checkSamplers(samplers: readonly SamplerName[]): void {
  if (!Array.isArray(samplers)) throw invalid('samplers', 'a list of names', typeof samplers);
  const known: readonly unknown[] = defaultSamplers;
  const unknown = (samplers as readonly unknown[]).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalid('samplers', `names out of ${defaultSamplers.join(', ')}`, JSON.stringify(unknown));
  }
  if (new Set(samplers).size < samplers.length) {
    throw invalid('samplers', 'a list that names each step once', samplers.join(', '));
  }
}

function checkLogitBias(
  bias: ReadonlyMap<number, number>,
  vocabularySize: number,
): ReadonlyMap<number, number> {
  if (!(bias instanceof Map)) throw invalid('logitBias', 'a Map from token id to number', typeof bias);
  for (const [id, value] of bias) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= vocabularySize) {
      throw invalid('logitBias', `token ids from 0 to ${vocabularySize - 1}`, String(id));
    }
    if (typeof value !== 'number' || Number.isNaN(value) || value === Infinity) {
      throw invalid('logitBias', 'finite numbers or -Infinity', `${String(value)} for token ${id}`);
    }
  }
  return bias;
}

function invalid(option: string, expected: string, found: string): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `Expected "${option}" to be ${expected}, found ${found}. Change the option, or leave it out for its default.`,
    { details: { option } },
  );
}
