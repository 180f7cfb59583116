import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { SamplerName } from './generation-options.ts';

/** What a file's maker recommends, as look-ups, so that a bad value harms only who needs it. */
export interface FileSampling {
  temperature(): number | undefined;
  topK(): number | undefined;
  topP(): number | undefined;
  minP(): number | undefined;
  repeatPenalty(): number | undefined;
  repeatLastN(): number | undefined;
  samplers(): readonly SamplerName[] | undefined;
}

/** llama.cpp's names of the steps with their other spellings (`common_sampler_types_from_names`). */
const stepNames: ReadonlyMap<string, SamplerName> = new Map([
  ['penalties', 'penalties'],
  ['top_k', 'top-k'],
  ['top-k', 'top-k'],
  ['typ_p', 'typical'],
  ['typ-p', 'typical'],
  ['typ', 'typical'],
  ['typical', 'typical'],
  ['typical_p', 'typical'],
  ['typical-p', 'typical'],
  ['top_p', 'top-p'],
  ['top-p', 'top-p'],
  ['nucleus', 'top-p'],
  ['min_p', 'min-p'],
  ['min-p', 'min-p'],
  ['temperature', 'temperature'],
  ['temp', 'temperature'],
]);

/**
 * The `general.sampling.*` keys (llama.cpp's `llama_model_meta_key_str`). Values beyond a step's range mean "off"
 * or "greedy" as they do in llama.cpp, for example `top_k` -1.
 * @throws {RivuletError} `METADATA_WRONG_TYPE` from the look-ups
 */
export function readFileSampling(file: Metadata | undefined): FileSampling {
  const read = (name: string): number | undefined => {
    const key = `general.sampling.${name}`;
    const value = file?.optionalNumber(key);
    if (value === undefined || Number.isFinite(value)) return value;
    throw new RivuletError(
      'METADATA_WRONG_TYPE',
      `Expected the metadata key "${key}" to be a finite number, found ${value}. Give the option in the request, or correct the file.`,
      { details: { key } },
    );
  };
  const bounded = (name: string, low: number, high: number): number | undefined => {
    const value = read(name);
    return value === undefined ? undefined : Math.min(Math.max(value, low), high);
  };
  return {
    temperature: () => bounded('temp', 0, Infinity),
    topK: () => whole(bounded('top_k', 0, Number.MAX_SAFE_INTEGER)),
    topP: () => bounded('top_p', 0, 1),
    minP: () => bounded('min_p', 0, 1),
    repeatPenalty: () => read('penalty_repeat'),
    repeatLastN: () => whole(bounded('penalty_last_n', -1, Number.MAX_SAFE_INTEGER)),
    samplers: () => {
      const sequence = file?.optionalString('general.sampling.sequence');
      if (sequence === undefined) return undefined;
      // Steps that do not exist here (dry, xtc, …) are off by default in llama.cpp, too.
      const steps = sequence.split(';').flatMap((name) => stepNames.get(name.trim()) ?? []);
      return steps.length === 0 ? undefined : [...new Set(steps)];
    },
  };
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.trunc(value);
}
