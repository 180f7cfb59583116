import { describe, expect, test } from 'vitest';

import type { GenerationOptions } from '../../src/generate/generation-options.ts';
import { createPenaltyWindow } from '../../src/generate/penalty-window.ts';
import { resolveOptions } from '../../src/generate/resolve-options.ts';
import { Metadata } from '../../src/gguf/metadata.ts';
import type { MetadataValue } from '../../src/gguf/metadata.ts';

function file(values: Record<string, MetadataValue>): Metadata {
  return new Metadata(
    new Map(Object.entries(values).map(([name, value]) => [`general.sampling.${name}`, value])),
  );
}

describe('resolveOptions', () => {
  test('fills every gap with the documented defaults', () => {
    const { seed, ...rest } = resolveOptions({}, 100);
    expect(Number.isSafeInteger(seed)).toBe(true);
    expect(rest).toMatchObject({
      maxTokens: Infinity,
      temperature: 0.8,
      topK: 40,
      topP: 0.95,
      minP: 0.05,
      typicalP: 1,
      repeatPenalty: 1,
      repeatLastN: 64,
      frequencyPenalty: 0,
      presencePenalty: 0,
      ignoreEos: false,
      logprobs: undefined,
      samplers: ['penalties', 'top-k', 'typical', 'top-p', 'min-p', 'temperature'],
    });
    expect(resolveOptions({}, 100).seed).not.toBe(resolveOptions({}, 100).seed);
  });

  test('request over file over default', () => {
    const recommended = file({
      temp: 0.5,
      top_k: 20,
      top_p: 0.8,
      min_p: 0,
      penalty_repeat: 1.1,
      penalty_last_n: -1,
      sequence: 'dry;top_k;typ_p;temperature',
    });
    expect(resolveOptions({ topK: 3, minP: 0.2 }, 100, recommended)).toMatchObject({
      temperature: 0.5,
      topK: 3,
      topP: 0.8,
      minP: 0.2,
      repeatLastN: -1,
      // Its sequence leaves penalties out.
      repeatPenalty: 1,
      samplers: ['top-k', 'typical', 'temperature'],
    });
    expect(resolveOptions({}, 100, file({ penalty_repeat: 1.1 })).repeatPenalty).toBe(1.1);
  });

  test("a file's out-of-range values mean what they mean in llama.cpp", () => {
    expect(resolveOptions({}, 100, file({ top_k: -1, temp: -1, top_p: 2 }))).toMatchObject({
      topK: 0,
      temperature: 0,
      topP: 1,
    });
  });

  test('a probability of 0 keeps the best token alone, as in llama.cpp', () => {
    expect(resolveOptions({ topP: 0, typicalP: 0 }, 100)).toMatchObject({ topP: 0, typicalP: 0 });
    expect(resolveOptions({}, 100, file({ top_p: 0 })).topP).toBe(0);
  });

  test("a file's nonsense is an error only while the request leaves it open", () => {
    const broken = file({ temp: 'hot', top_p: Number.NaN });
    expect(() => resolveOptions({}, 100, broken)).toThrow(
      expect.objectContaining({ code: 'METADATA_WRONG_TYPE' }),
    );
    expect(() => resolveOptions({ temperature: 1 }, 100, broken)).toThrow(/top_p/);
    expect(resolveOptions({ temperature: 1, topP: 0.5 }, 100, broken).topP).toBe(0.5);
  });

  const wrong: [string, GenerationOptions][] = [
    ['temperature', { temperature: -0.1 }],
    ['temperature', { temperature: Number.NaN }],
    ['temperature', { temperature: Infinity }],
    ['temperature', { temperature: '1' as unknown as number }],
    ['topK', { topK: -1 }],
    ['topK', { topK: 1.5 }],
    ['topP', { topP: -0.1 }],
    ['topP', { topP: 1.01 }],
    ['minP', { minP: -0.1 }],
    ['minP', { minP: 2 }],
    ['typicalP', { typicalP: -0.1 }],
    ['repeatPenalty', { repeatPenalty: 0 }],
    ['repeatLastN', { repeatLastN: -2 }],
    ['frequencyPenalty', { frequencyPenalty: Number.NaN }],
    ['presencePenalty', { presencePenalty: Infinity }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 0.5 }],
    ['seed', { seed: 2 ** 53 }],
    ['maxTokens', { maxTokens: -1 }],
    ['maxTokens', { maxTokens: 2.5 }],
    ['logprobs', { logprobs: 101 }],
    ['logprobs', { logprobs: -1 }],
    ['priority', { priority: Number.NaN }],
    ['stop', { stop: [''] }],
    ['stop', { stop: 'END' as unknown as string[] }],
    ['samplers', { samplers: ['top-a' as 'top-k'] }],
    ['samplers', { samplers: ['top-k', 'top-k'] }],
    ['logitBias', { logitBias: new Map([[100, 1]]) }],
    ['logitBias', { logitBias: new Map([[-1, 1]]) }],
    ['logitBias', { logitBias: new Map([[1, Number.NaN]]) }],
    ['logitBias', { logitBias: new Map([[1, Infinity]]) }],
    ['logitBias', { logitBias: { 1: 2 } as unknown as Map<number, number> }],
  ];
  test.each(wrong)('refuses %s in %o', (option, options) => {
    expect(() => resolveOptions(options, 100)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { option } }),
    );
  });
});

describe('createPenaltyWindow', () => {
  const off = { repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0, repeatLastN: 3 };

  function countsAfter(ids: number[], repeatLastN: number): Record<number, number> {
    const window = createPenaltyWindow({ ...off, presencePenalty: 1, repeatLastN })!;
    for (const id of ids) window.push(id);
    const { ids: kept, counts } = window.penalties();
    return Object.fromEntries(Array.from(kept, (id, index) => [id, counts[index]!]));
  }

  test('counts the last tokens only', () => {
    expect(countsAfter([1, 2, 1, 1, 5], 3)).toEqual({ 1: 2, 5: 1 });
    expect(countsAfter([1, 2, 1, 1, 5, 6, 7, 8], 3)).toEqual({ 6: 1, 7: 1, 8: 1 });
    expect(countsAfter([1, 2, 1, 1, 5], -1)).toEqual({ 1: 3, 2: 1, 5: 1 });
    expect(countsAfter([4], 3)).toEqual({ 4: 1 });
  });

  test('does not exist where it would change nothing', () => {
    expect(createPenaltyWindow(off)).toBeUndefined();
    expect(createPenaltyWindow({ ...off, repeatPenalty: 1.2, repeatLastN: 0 })).toBeUndefined();
  });
});
