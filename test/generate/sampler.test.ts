import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { SamplerName } from '../../src/generate/generation-options.ts';
import { createRandom } from '../../src/generate/random.ts';
import { createSampler } from '../../src/generate/sampler.ts';
import type { SamplerOptions } from '../../src/generate/sampler.ts';
import { selectCandidates } from '../../src/session/select-candidates.ts';

const neutral: SamplerOptions = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  seed: 1,
  samplers: ['penalties', 'top-k', 'typical', 'top-p', 'min-p', 'temperature'],
};

/** The chain by its definitions over all probabilities, written without candidates. (vocabularySize,) */
function distribution(row: Float32Array, options: SamplerOptions): number[] {
  let logits: { id: number; logit: number }[] = Array.from(row, (logit, id) => ({ id, logit })).sort(
    (left, right) => right.logit - left.logit || left.id - right.id,
  );
  const probabilities = (): number[] => {
    const weights = logits.map((entry) => Math.exp(entry.logit - logits[0]!.logit));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  };
  const prefix = (enough: (sum: number) => boolean, order: number[]): void => {
    const all = probabilities();
    let sum = 0;
    const kept = new Set<number>();
    for (const index of order) {
      kept.add(index);
      sum += all[index]!;
      if (enough(sum)) break;
    }
    logits = logits.filter((_, index) => kept.has(index));
  };
  const steps: Record<SamplerName, () => void> = {
    penalties: () => {},
    'top-k': () => {
      if (options.topK > 0) logits = logits.slice(0, options.topK);
    },
    typical: () => {
      if (options.typicalP >= 1) return;
      const all = probabilities();
      const entropy = all.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
      const distance = all.map((p) => Math.abs(-Math.log(p) - entropy));
      const order = [...all.keys()].sort((a, b) => distance[a]! - distance[b]! || a - b);
      prefix((sum) => sum > options.typicalP, order);
    },
    'top-p': () => {
      if (options.topP < 1) prefix((sum) => sum >= options.topP, [...logits.keys()]);
    },
    'min-p': () => {
      const all = probabilities();
      if (options.minP > 0) logits = logits.filter((_, index) => all[index]! >= options.minP * all[0]!);
    },
    temperature: () => {
      logits = logits.map(({ id, logit }) => ({ id, logit: logit / options.temperature }));
    },
  };
  for (const name of options.samplers) steps[name]();
  const result = Array.from(row, () => 0);
  probabilities().forEach((p, index) => {
    result[logits[index]!.id] = p;
  });
  return result;
}

function randomRow(size: number, seed: number, spread: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from(
    { length: size },
    () => (random.next() + random.next() + random.next() - 1.5) * spread,
  );
}

/** Draws with `first` candidates at the start, from the same random state each time. */
function draw(row: Float32Array, options: SamplerOptions, first: number, times: number): number[] {
  const sampler = createSampler(options, row.length);
  const candidates = selectCandidates(row, { count: first });
  return Array.from({ length: times }, () => {
    return sampler.sample(candidates, (count) => selectCandidates(row, { count })).id;
  });
}

const chains: Record<string, Partial<SamplerOptions>> = {
  'nothing at all': {},
  'temperature 0.7': { temperature: 0.7 },
  'temperature 1.6': { temperature: 1.6 },
  'top-k 12': { topK: 12, temperature: 1.2 },
  'top-p 0.8': { topP: 0.8 },
  'top-p 0 keeps the best alone': { topP: 0 },
  'min-p 0.1': { minP: 0.1, temperature: 1.5 },
  'typical 0.6': { typicalP: 0.6 },
  'all defaults': { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 },
  'all at once': { temperature: 0.9, topK: 60, topP: 0.9, minP: 0.02, typicalP: 0.9 },
  'temperature first': {
    temperature: 1.4,
    topP: 0.7,
    samplers: ['temperature', 'top-p', 'top-k'],
  },
};

describe('the sampler chain', () => {
  test.each(Object.entries(chains))('draws from the exact distribution with %s', (_, chain) => {
    const row = randomRow(300, 5, 4);
    const options = { ...neutral, seed: 20_260, ...chain };
    const expected = distribution(row, options);
    const draws = 20_000;
    const counts = Array.from(row, () => 0);
    for (const id of draw(row, options, 16, draws)) counts[id] = counts[id]! + 1;

    // Classes of at least 5 expected draws; the rare tokens together are one.
    let chiSquare = 0;
    let classes = 0;
    const rare = { expected: 0, found: 0 };
    expected.forEach((p, id) => {
      if (p === 0) expect(counts[id]).toBe(0);
      else if (p * draws < 5) {
        rare.expected += p * draws;
        rare.found += counts[id]!;
      } else {
        chiSquare += (counts[id]! - p * draws) ** 2 / (p * draws);
        classes += 1;
      }
    });
    if (rare.expected > 0) {
      chiSquare += (rare.found - rare.expected) ** 2 / rare.expected;
      classes += 1;
    }
    // Mean and variance of the distribution; 4 standard deviations.
    expect(chiSquare).toBeLessThan(classes - 1 + 4 * Math.sqrt(2 * Math.max(1, classes - 1)) + 4);
  });

  test('over candidates equals over the vocabulary, draw by draw', () => {
    const names: SamplerName[] = ['top-k', 'typical', 'top-p', 'min-p', 'temperature'];
    fc.assert(
      fc.property(
        fc.record({
          size: fc.integer({ min: 1, max: 700 }),
          rowSeed: fc.nat(),
          spread: fc.constantFrom(0.5, 3, 12, 200),
          quantized: fc.boolean(),
          first: fc.integer({ min: 1, max: 80 }),
          temperature: fc.constantFrom(0, 0.05, 0.7, 1, 1.3, 5),
          topK: fc.constantFrom(0, 1, 7, 40, 1000),
          topP: fc.constantFrom(0, 1e-9, 0.3, 0.95, 0.9999, 1),
          minP: fc.constantFrom(0, 1e-6, 0.05, 0.9, 1),
          typicalP: fc.constantFrom(1, 1, 0, 0.2, 0.95),
          seed: fc.nat(),
          samplers: fc.shuffledSubarray(names),
        }),
        ({ size, rowSeed, spread, quantized, first, ...options }) => {
          const noisy = randomRow(size, rowSeed, spread);
          const row = quantized ? noisy.map(Math.round) : noisy;
          expect(draw(row, options, Math.min(first, size), 3)).toEqual(draw(row, options, size, 3));
        },
      ),
      { numRuns: 800 },
    );
  });

  test('the usual settings are decided within the first candidates', () => {
    const row = randomRow(50_000, 8, 6);
    for (const options of [
      { ...neutral, temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 },
      { ...neutral, temperature: 0 },
      { ...neutral, topK: 1000 },
    ]) {
      const sampler = createSampler(options, row.length);
      const candidates = selectCandidates(row, { count: sampler.firstCount });
      sampler.sample(candidates, () => {
        throw new Error('asked for more');
      });
    }
  });

  test('temperature 0 takes the best, ties by id, whatever else is set', () => {
    const row = Float32Array.of(1, 5, 3, 5);
    const options = { ...neutral, temperature: 0, typicalP: 0.1, samplers: ['typical'] as const };
    expect(draw(row, options, 1, 3)).toEqual([1, 1, 1]);
  });

  test('reports the log-probability before any adjustment', () => {
    const row = Float32Array.of(1, 2, 4);
    const sampler = createSampler({ ...neutral, temperature: 0 }, 3);
    const candidates = selectCandidates(row, { count: 1, bias: new Map([[2, -Infinity]]) });
    const { id, logprob } = sampler.sample(candidates, () => candidates);
    expect(id).toBe(1);
    expect(logprob).toBeCloseTo(2 - Math.log(Math.exp(1) + Math.exp(2) + Math.exp(4)), 6);
  });

  test('infinite logits share everything, forbidden tokens get nothing', () => {
    const row = Float32Array.of(1, Infinity, -Infinity, Infinity, 8);
    const drawn = new Set(draw(row, { ...neutral, minP: 0.1, topP: 0.9 }, 2, 200));
    expect([...drawn].sort()).toEqual([1, 3]);
    const few = Float32Array.of(-Infinity, 0, -Infinity, 0);
    expect(new Set(draw(few, { ...neutral, temperature: 1e6 }, 1, 200))).toEqual(new Set([1, 3]));
  });

  test('says so when nothing is allowed', () => {
    const row = new Float32Array(4).fill(-Infinity);
    for (const temperature of [0, 1]) {
      expect(() => draw(row, { ...neutral, temperature }, 2, 1)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  test('a session that gives fewer candidates than asked for has given all', () => {
    const row = Float32Array.of(0, 0, -Infinity, -Infinity, -Infinity, -Infinity);
    const sampler = createSampler({ ...neutral, temperature: 2 }, 6);
    const allowed = selectCandidates(row, { count: 2 });
    const found = new Set<number>();
    for (let index = 0; index < 50; index += 1) {
      found.add(sampler.sample(selectCandidates(row, { count: 1 }), () => allowed).id);
    }
    expect(found).toEqual(new Set([0, 1]));
  });
});

describe('createRandom', () => {
  test('gives these numbers on every platform', () => {
    const random = createRandom(42);
    expect([random.next(), random.next(), random.next()]).toMatchInlineSnapshot(`
      [
        0.6029363326671614,
        0.17928574353061022,
        0.6907866943413722,
      ]
    `);
    const large = createRandom(2 ** 53 - 1);
    expect([large.next(), large.next()]).toMatchInlineSnapshot(`
      [
        0.7566135702716617,
        0.997553790872804,
      ]
    `);
  });

  test('is uniform, and seeds differ in both halves', () => {
    const bins = Array.from({ length: 64 }, () => 0);
    const random = createRandom(7);
    for (let index = 0; index < 64_000; index += 1) {
      const value = random.next();
      const bin = Math.floor(value * 64);
      bins[bin] = bins[bin]! + 1;
    }
    expect(bins.reduce((sum, count) => sum + count, 0)).toBe(64_000);
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(63 + 4 * Math.sqrt(126));
    const firsts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52].map((seed) => createRandom(seed).next());
    expect(new Set(firsts).size).toBe(firsts.length);
  });
});
