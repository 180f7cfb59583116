import { describe, expect, it } from 'vitest';

import type { MetadataValue } from '../../src/gguf/metadata.ts';
import type { ModelConfig } from '../../src/graph/config.ts';
import { configOf, embedding } from '../support/model-config.ts';

/** o = sees everything, w = window, c = chunk; upper case = rotates. */
function pattern(config: ModelConfig): string {
  return config.layers
    .map(({ window, chunk, rope }) => {
      const kind = window === undefined ? (chunk === undefined ? 'o' : 'c') : 'w';
      return rope === undefined ? kind : kind.toUpperCase();
    })
    .join('');
}

describe('which layers see and rotate how', () => {
  const window = { 'attention.sliding_window': 7 };
  const eight = { ...window, block_count: 8 };
  const cases: readonly (readonly [string, string, Readonly<Record<string, MetadataValue>>, string])[] = [
    ['llama does not look at the key', 'llama', window, 'OOOO'],
    ['the last of every two is open', 'gemma2', window, 'WOWO'],
    ['gemma2 has windows even without the key', 'gemma2', {}, 'WOWO'],
    ['the last of every six is open', 'gemma3', eight, 'WWWWWOWW'],
    ['none without the key', 'gemma3', { block_count: 8 }, 'OOOOOOOO'],
    ['a zero switches them off', 'gemma3', { 'attention.sliding_window': 0 }, 'OOOO'],
    [
      "the file's period comes first",
      'gemma3',
      { ...eight, 'attention.sliding_window_pattern': 2 },
      'WOWOWOWO',
    ],
    ['a period of one opens all', 'gemma3', { ...window, 'attention.sliding_window_pattern': 1 }, 'OOOO'],
    [
      "the file's flags come first",
      'mimo2',
      { ...window, 'attention.sliding_window_pattern': Uint8Array.of(0, 1, 1, 0) },
      'OWWO',
    ],
    ['only windows rotate', 'cohere2', window, 'WWWo'],
    ['only with 64 layers', 'exaone4', window, 'OOOO'],
    [
      'with 64 layers, where open ones do not rotate',
      'exaone4',
      { ...window, block_count: 64 },
      'WWWo'.repeat(16),
    ],
    ['the first of every four is open', 'laguna', window, 'OWWW'],
    [
      'leading dense layers rotate too',
      'cohere2moe',
      { ...window, block_count: 5, leading_dense_block_count: 1 },
      'OWWWo',
    ],
    ['every fourth does not rotate', 'smollm3', {}, 'OOOo'],
    ['chunks', 'llama4', {}, 'CCCo'],
    ['a period without windows', 'smallthinker', { block_count: 8 }, 'OOOOOOOO'],
    ['the first of four is open and does not rotate', 'smallthinker', eight, 'oWWWoWWW'],
  ];
  it.each(cases)('%s (%s)', (_, architecture, keys, expected) => {
    expect(pattern(configOf(architecture, keys))).toBe(expected);
  });

  it('lengths that the architecture fixes', () => {
    const [, windowed] = configOf('smallthinker', eight).layers;
    expect(windowed?.window).toBe(4096);
    expect(configOf('llama4', window).layers[0]?.chunk).toBe(8192);
    expect(configOf('exaone-moe', {}).layers[0]?.window).toBe(128);
    expect(configOf('gemma2', window).layers[0]?.window).toBe(7);
  });
});

describe('rotations', () => {
  const frequency = (config: ModelConfig, layer: number): number =>
    config.layers[layer]?.rope?.frequencies[1] ?? Number.NaN;

  it('windowed layers have a base of their own, and no scaling', () => {
    const config = configOf('gemma3', {
      block_count: 6,
      'attention.sliding_window': 7,
      'rope.freq_base': 1e6,
      'rope.scaling.factor': 8,
    });
    expect(frequency(config, 0)).toBeCloseTo(10000 ** (-2 / 12), 10);
    expect(frequency(config, 5)).toBeCloseTo(1e6 ** (-2 / 12) / 8, 10);
  });

  it('the file may give the base of windowed layers', () => {
    const config = configOf('gemma2', {
      'attention.sliding_window': 7,
      'rope.freq_base_swa': 500,
      'rope.scaling.factor': 2,
    });
    expect(frequency(config, 0)).toBeCloseTo(500 ** (-2 / 12) / 2, 10);
    expect(frequency(config, 1)).toBeCloseTo(10000 ** (-2 / 12) / 2, 10);
  });

  it('several positions per token turn halves, as text has the same in all of them', () => {
    const keys = { 'rope.dimension_sections': Int32Array.of(2, 2, 2, 0) };
    expect(configOf('glm4').layers[0]?.rope?.pairs).toBe('neighbours');
    expect(configOf('glm4', keys).layers[0]?.rope?.pairs).toBe('halves');
  });

  it('half of the told dimensions, where nothing limits the view', () => {
    const config = configOf('step35', {
      'attention.sliding_window': 7,
      'attention.sliding_window_pattern': Uint8Array.of(1, 1, 1, 0),
    });
    expect(config.layers.map(({ rope }) => rope?.dimensions)).toEqual([12, 12, 12, 6]);
  });

  it('NTK scaling is a larger base', () => {
    const config = configOf('hunyuan-dense', { 'rope.scaling.alpha': 1000 });
    expect(frequency(config, 0)).toBeCloseTo((10000 * 1000 ** (12 / 10)) ** (-2 / 12), 10);
  });

  it('DeepSeek scales scores instead of rotations', () => {
    const yarn = {
      context_length: 32768,
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': 8,
      'rope.scaling.original_context_length': 4096,
      'rope.scaling.yarn_log_multiplier': 0.0707,
    };
    const [layer] = configOf('deepseek2', yarn).layers;
    expect(layer?.rope?.magnitude).toBe(1);
    expect(layer?.scoreScale).toBeCloseTo(12 ** -0.5 * (1 + 0.0707 * Math.log(8)) ** 2, 10);
  });

  it('of a model that was not trained with them are off', () => {
    expect(pattern(configOf('granite', { 'rope.scaling.finetuned': false }))).toBe('oooo');
    expect(pattern(configOf('llama', { 'rope.scaling.finetuned': false }))).toBe('OOOO');
  });
});

describe('ALiBi', () => {
  it('slopes fall by one geometric series for a power of two of heads', () => {
    const [layer] = configOf('bloom').layers;
    expect(Array.from(layer?.alibiSlopes ?? [])).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
    expect(layer?.rope).toBeUndefined();
  });

  it('more heads go between', () => {
    const [layer] = configOf('mpt', {
      'attention.max_alibi_bias': 8,
      'attention.head_count': 6,
      'attention.head_count_kv': 6,
    }).layers;
    const expected = [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3];
    expect(Array.from(layer?.alibiSlopes ?? [])).toEqual(expected);
  });

  it('takes the place of the rotation in baichuan with 40 layers', () => {
    expect(pattern(configOf('baichuan'))).toBe('OOOO');
    const large = configOf('baichuan', { block_count: 40 });
    expect(pattern(large)).toBe('o'.repeat(40));
    expect(large.layers[0]?.alibiSlopes?.[0]).toBe(0.25);
  });
});

describe('scales', () => {
  it('of the scores', () => {
    const scale = (architecture: string, keys: Readonly<Record<string, MetadataValue>> = {}): number =>
      configOf(architecture, keys).layers[0]?.scoreScale ?? Number.NaN;
    expect(scale('llama')).toBeCloseTo(12 ** -0.5, 12);
    expect(scale('jais')).toBeCloseTo(1 / 12, 12);
    expect(scale('bailingmoe', { 'rope.dimension_count': 6 })).toBeCloseTo(6 ** -0.5, 12);
    expect(scale('granite', { 'attention.scale': 0.3 })).toBe(0.3);
    expect(scale('gemma2', { 'attention.key_length': 8 })).toBeCloseTo(8 ** -0.5, 12);
    expect(scale('gemma2', { 'attention.key_length': 8, block_count: 46 })).toBeCloseTo(12 ** -0.5, 12);
    expect(scale('grok')).toBeCloseTo(0.08838834764831845, 12);
    expect(scale('grok', { 'attention.output_scale': 0.25 })).toBe(0.25);
  });

  it('of old MiniCPM files are the published ones', () => {
    const { embeddingScale, residualScale, logitScale } = configOf('minicpm');
    expect(embeddingScale).toBe(12);
    expect(residualScale).toBeCloseTo(1.4 / 2, 12);
    expect(logitScale).toBeCloseTo(256 / embedding, 12);
  });

  it('of granite divide, of command-r multiply the logits', () => {
    expect(configOf('granite', { logit_scale: 8 }).logitScale).toBe(1 / 8);
    expect(configOf('command-r', { logit_scale: 0.25 }).logitScale).toBe(0.25);
  });

  it('xIELU keeps its numbers per layer, positive ones through softplus', () => {
    const numbers = Float32Array.of(0, 1, 2, 3);
    const told = configOf('apertus', {
      'xielu.alpha_p': numbers,
      'xielu.alpha_n': numbers,
      'xielu.beta': 0.5,
      'xielu.eps': 1e-6,
    });
    expect(told.layers[0]?.activation).toEqual({
      kind: 'xielu',
      positive: expect.closeTo(Math.log(2), 6) as number,
      negative: expect.closeTo(0.5 + Math.log(2), 6) as number,
      beta: 0.5,
      epsilon: 1e-6,
    });
    expect(told.layers[3]?.activation).toMatchObject({
      positive: expect.closeTo(Math.log1p(Math.exp(3)), 6) as number,
    });
  });
});

describe('norms', () => {
  it('are RMS unless the architecture says otherwise', () => {
    expect(configOf('qwen3')).toMatchObject({ norm: 'rms', normEpsilon: 1e-5 });
    expect(configOf('gpt2')).toMatchObject({ norm: 'layer', normEpsilon: 1e-6 });
    expect(configOf('cohere2moe')).toMatchObject({ norm: 'rms' });
    expect(configOf('cohere2moe', { 'attention.layer_norm_rms_epsilon': 0 })).toMatchObject({
      norm: 'layer',
      normEpsilon: 1e-6,
    });
  });
});
