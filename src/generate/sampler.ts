import { logProbability } from '../session/log-sum-exp.ts';
import type { Candidates } from '../session/session.ts';
import { drawAt, minP, temperature, topK, topP, typical } from './filters.ts';
import type { Filter, Filtered } from './filters.ts';
import type { SamplerName } from './generation-options.ts';
import { createRandom } from './random.ts';
import { toShortlist } from './shortlist.ts';

/** What the chain needs of a request's options. */
export interface SamplerOptions {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly seed: number;
  readonly samplers: readonly SamplerName[];
}

export interface SampledToken {
  readonly id: number;
  /** Natural logarithm of its probability before any adjustment. */
  readonly logprob: number;
}

/** Chooses tokens; its random state moves on by one number per drawn token, however many candidates that took. */
export interface Sampler {
  /** How many candidates to ask the session for at first. */
  readonly firstCount: number;
  /** @param more asks the session for that many candidates of the same row */
  sample(candidates: Candidates, more: (count: number) => Candidates): SampledToken;
}

/** Enough for the usual top-p; asking again costs about as much as the first time. */
const usualCount = 64;
/** Each further look at a row takes this many times the candidates of the last. */
const growth = 4;

/**
 * The chain of llama.cpp (`common_sampler_init`) over candidates, exact as over the whole vocabulary. At
 * temperature 0 it takes the best token whatever the other settings.
 */
export function createSampler(options: SamplerOptions, vocabularySize: number): Sampler {
  const greedy = options.temperature === 0;
  const random = createRandom(options.seed);
  const filters = greedy ? [] : options.samplers.flatMap((name) => toFilter(name, options));
  const limited = options.topK > 0 && options.samplers.includes('top-k');

  return {
    firstCount: Math.min(greedy ? 1 : limited ? options.topK : usualCount, vocabularySize),
    sample(candidates, more) {
      const position = greedy ? 0 : random.next();
      let known = candidates;
      let size = vocabularySize;
      for (;;) {
        const list = toShortlist(known, size);
        const filtered = greedy ? list : applyAll(filters, list);
        const drawn = typeof filtered === 'string' ? filtered : drawAt(filtered, position);
        if (typeof drawn === 'number') {
          const rawLogit = known.rawLogits[known.ids.indexOf(drawn)] ?? Number.NaN;
          return { id: drawn, logprob: logProbability(rawLogit, known.rawLogSumExp) };
        }
        const wanted =
          drawn === 'all' ? vocabularySize : Math.min(Math.max(known.ids.length, 1) * growth, vocabularySize);
        known = more(wanted);
        // A session that has no more to give has given every token with a chance.
        if (known.ids.length < wanted) size = known.ids.length;
      }
    },
  };
}

function applyAll(filters: readonly Filter[], first: Filtered): Filtered {
  let list = first;
  for (const filter of filters) {
    if (typeof list === 'string') return list;
    list = filter(list);
  }
  return list;
}

function toFilter(name: SamplerName, options: SamplerOptions): Filter[] {
  switch (name) {
    case 'penalties':
      return []; // The session's selection has applied them.
    case 'top-k':
      return [topK(options.topK)];
    case 'typical':
      return [typical(options.typicalP)];
    case 'top-p':
      return [topP(options.topP)];
    case 'min-p':
      return [minP(options.minP)];
    case 'temperature':
      return [temperature(options.temperature)];
  }
}
