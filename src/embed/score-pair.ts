import { RivuletError } from '../errors.ts';

/**
 * What a head says about a pair, from 0 to 1: the sigmoid of a single value, or the share of "yes" among several
 * (as Qwen3-Reranker's card and llama.cpp's rank pooling have it).
 * @param raw (labels,)
 * @param names (labels,) of the values; empty when the file tells none
 * @throws {RivuletError} `UNSUPPORTED` for several values of which none means yes
 */
export function scorePair(raw: Float32Array, names: readonly string[]): number {
  if (raw.length === 1) return 1 / (1 + Math.exp(-(raw[0] ?? 0)));
  const yes = names.findIndex((name) => /^(yes|relevant|entailment|true|positive)$/i.test(name));
  if (yes === -1) {
    throw new RivuletError(
      'UNSUPPORTED',
      `Expected a head with one value, or with a label that means yes; found ${raw.length} values${names.length === 0 ? ' without labels' : `: ${names.join(', ')}`}. Choose a model made for reranking.`,
    );
  }
  const top = Math.max(...raw);
  const total = raw.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return Math.exp((raw[yes] ?? 0) - top) / total;
}
