import { describe, expect, it } from 'vitest';

import type { MetadataValue } from '../../src/gguf/metadata.ts';
import { configOf } from '../support/model-config.ts';

describe('mixtures', () => {
  const experts = { expert_count: 8, expert_used_count: 2 };
  const routers = ['blk.1.ffn_gate_inp.weight'];

  it('are where a router is', () => {
    const config = configOf('qwen3moe', experts, routers);
    expect(config.layers.map(({ mixture }) => mixture !== undefined)).toEqual([false, true, false, false]);
  });

  it.each([
    ['llama', {}, { gate: 'softmax', normalizes: true, scale: 1 }],
    ['qwen2moe', { expert_weights_norm: true }, { gate: 'softmax', normalizes: false }],
    ['deepseek2', { expert_weights_norm: true, expert_weights_scale: 2.5 }, { normalizes: true, scale: 2.5 }],
    ['deepseek2', { expert_gating_func: 2 }, { gate: 'sigmoid', normalizes: false }],
    ['glm4moe', {}, { gate: 'sigmoid' }],
    ['gpt-oss', {}, { gate: 'softmax-chosen', limits: { gate: 7, up: 7, upOffset: 1 } }],
    ['llama4', {}, { gate: 'sigmoid', weighsInput: true }],
    ['bailingmoe2', { expert_group_count: 4, expert_group_used_count: 2 }, { groups: { count: 4, used: 2 } }],
    ['step35', { swiglu_clamp_exp: Float32Array.of(0, 7, 0, 0) }, { limits: { activated: 7, up: 7 } }],
    ['step35', { swiglu_clamp_exp: Float32Array.of(7, 0, 7, 7) }, { limits: undefined }],
  ] as const)('%s %j', (architecture, keys, expected) => {
    const [, layer] = configOf(architecture, { ...experts, ...keys }, routers).layers;
    expect({ limits: undefined, ...layer?.mixture }).toMatchObject(expected);
  });

  it.each([
    ['more experts per token than there are', { expert_used_count: 9 }, 'GGUF_INVALID'],
    ['none per token', { expert_used_count: 0 }, 'GGUF_INVALID'],
    ['an absurd number', { expert_count: 1e6 }, 'GGUF_INVALID'],
    ['groups that do not divide', { expert_group_count: 3, expert_group_used_count: 2 }, 'GGUF_INVALID'],
    ['groups of one', { expert_group_count: 8, expert_group_used_count: 2 }, 'GGUF_INVALID'],
    [
      'too few in the groups',
      { expert_group_count: 4, expert_group_used_count: 1, expert_used_count: 3 },
      'GGUF_INVALID',
    ],
    ['a gate that nobody knows', { expert_gating_func: 9 }, 'UNSUPPORTED'],
  ] as const)('%s', (_, keys, code) => {
    expect(() => configOf('bailingmoe2', { ...experts, ...keys }, routers)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

describe('layers', () => {
  it('that predict further tokens are no part of the decoder', () => {
    expect(configOf('glm4moe', { block_count: 5, nextn_predict_layers: 1 }).layers).toHaveLength(4);
  });

  it('may lack an attention or a feed-forward', () => {
    const { layers } = configOf('deci', {
      'attention.head_count': Int32Array.of(4, 4, 0, 4),
      'attention.head_count_kv': Int32Array.of(2, 0, 0, 4),
      feed_forward_length: Int32Array.of(64, 64, 64, 0),
    });
    expect(layers.map(({ heads, kvHeads, feedsForward }) => [heads, kvHeads, feedsForward])).toEqual([
      [4, 2, true],
      [4, 0, true],
      [0, 0, true],
      [4, 4, false],
    ]);
  });

  it('with a latent have one key for all heads, or one each', () => {
    const keys = {
      'attention.head_count_kv': 1,
      'attention.kv_lora_rank': 16,
      'attention.key_length': 24,
      'attention.key_length_mla': 20,
      'attention.value_length': 16,
      'attention.value_length_mla': 12,
      'rope.dimension_count': 8,
    };
    const { layers } = configOf('deepseek2', keys, [
      'blk.0.attn_kv_a_mqa.weight',
      'blk.0.attn_k_b.weight',
      'blk.1.attn_kv_a_mqa.weight',
    ]);
    expect(layers[0]).toMatchObject({
      kvHeads: 1,
      headDim: 20,
      valueDim: 12,
      latent: { length: 16, rotatedLength: 8, absorbed: true },
    });
    expect(layers[1]).toMatchObject({ kvHeads: 4, latent: { absorbed: false } });
  });

  it('at the end may share the cache of the last one that sees as much', () => {
    const { layers } = configOf('gemma4', {
      block_count: 8,
      'attention.sliding_window': 7,
      'attention.sliding_window_pattern': Uint8Array.of(1, 0, 1, 1, 0, 1, 1, 0),
      'attention.shared_kv_layers': 3,
      'attention.key_length': 32,
      'attention.value_length': 32,
      'attention.key_length_swa': 16,
      'attention.value_length_swa': 16,
    });
    expect(layers.map(({ cacheOf }) => cacheOf)).toEqual([
      ...Array.from({ length: 5 }, () => undefined),
      3,
      3,
      4,
    ]);
    expect(layers.map(({ headDim }) => headDim)).toEqual([16, 32, 16, 16, 32, 16, 16, 32]);
    expect(layers.every(({ normsValues, scoreScale }) => normsValues === true && scoreScale === 1)).toBe(
      true,
    );
  });

  it('of Gemma 3n share after twenty, if the file does not say', () => {
    const cacheOf = (keys: Readonly<Record<string, MetadataValue>>): readonly (number | undefined)[] =>
      configOf('gemma3n', { block_count: 22, 'attention.sliding_window': 7, ...keys }).layers.map(
        (layer) => layer.cacheOf,
      );
    expect(cacheOf({}).slice(19)).toEqual([undefined, 18, 18]);
    expect(cacheOf({ 'attention.shared_kv_layers': 3 }).slice(18)).toEqual([undefined, 14, 18, 18]);
    expect(cacheOf({ block_count: 8 })).not.toContainEqual(expect.any(Number));
    const { layers } = configOf('gemma3n', { block_count: 22 });
    expect(layers.map(({ gateDeviations }) => gateDeviations !== undefined)).toEqual(
      layers.map((_, index) => index < 10),
    );
  });

  it.each([
    ['all layers without a cache', { 'attention.shared_kv_layers': 4 }],
    [
      'a shared cache that no layer has',
      {
        'attention.shared_kv_layers': 1,
        'attention.sliding_window': 7,
        'attention.sliding_window_pattern': 4,
      },
    ],
    ['heads that do not share keys evenly', { 'attention.head_count_kv': 3 }],
    ['heads of a broken length', { 'attention.head_count': 5, 'attention.head_count_kv': 5 }],
    ['a negative number of heads', { 'attention.head_count': -4 }],
    ['an absurd number of heads', { 'attention.head_count': 1e9 }],
    ['more layers for prediction than there are', { nextn_predict_layers: 4 }],
    ['an odd rotation', { 'rope.dimension_count': 5 }],
    ['a rotation longer than the head', { 'rope.dimension_count': 14 }],
    ['a window of half a token', { 'attention.sliding_window': 0.5 }],
  ])('%s', (_, keys) => {
    expect(() => configOf('gemma3', keys)).toThrow(
      expect.objectContaining({ code: 'GGUF_INVALID' }) as Error,
    );
  });
});
