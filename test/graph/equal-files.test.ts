import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import { bytesOf, tinyLlama, tinyLlamaShape } from '../support/tiny-llama.ts';
import type { TinyLlamaOptions } from '../support/tiny-llama.ts';
import type { WritableTensor } from '../support/write-gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-equal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Tensors = NonNullable<TinyLlamaOptions['tensors']>;

let files = 0;

async function logitsOf(options: TinyLlamaOptions): Promise<Float32Array> {
  const path = join(folder, `equal-${files++}.gguf`);
  writeFileSync(path, tinyLlama(options));
  const gguf = await openGguf(nodePlatform, path);
  try {
    const session = await nodePlatform.createSession({
      gguf,
      contextLength: tinyLlamaShape.context,
      threads: 1,
      dialect: 'portable',
      cache: join(folder, 'cache'),
    });
    const tokens = Int32Array.of(3, 141, 59, 26, 53);
    const [result] = await session.step([{ sequence: session.openSequence(), tokens, logits: 'all' }]);
    await session.dispose();
    return result?.logits ?? new Float32Array();
  } finally {
    await closeGguf(gguf);
  }
}

function tensor(values: Float32Array, ...shape: number[]): Omit<WritableTensor, 'name'> {
  return { type: 'F32', shape, bytes: bytesOf(values) };
}

/** Numbers in ± 0.3 that look random. */
function numbers(length: number, seed: number): Float32Array {
  return Float32Array.from(
    { length },
    (_, index) => 0.3 * Math.sin(1.7 * seed + 12.9898 * (index + 1) * seed),
  );
}

/** The same tensors in both layers. */
function inLayers(parts: Tensors): Tensors {
  return Object.fromEntries(
    [0, 1].flatMap((layer) =>
      Object.entries(parts).map(([part, value]) => [`blk.${layer}.${part}`, value] as const),
    ),
  );
}

function largestDifference(left: Float32Array, right: Float32Array): number {
  expect(left.length).toBe(right.length);
  return left.reduce(
    (largest, value, index) => Math.max(largest, Math.abs(value - (right[index] ?? Number.NaN))),
    0,
  );
}

const { embedding, feedForward } = tinyLlamaShape;

describe('scales beside weights multiply products before biases are added', () => {
  const times = (values: Float32Array, factor: number): Float32Array => values.map((value) => value * factor);
  const cases: readonly (readonly [string, number, number, number])[] = [
    ['blk.0.attn_q', embedding, embedding, 0.5],
    ['blk.1.attn_output', embedding, embedding, 1.5],
    ['blk.0.ffn_gate', embedding, feedForward, 0.75],
    ['blk.0.ffn_down', feedForward, embedding, 2],
    ['output', embedding, 259, 0.625],
  ];
  it.each(cases)('%s', async (name, columns, rows, scale) => {
    const weight = numbers(columns * rows, 1);
    const bias = tensor(numbers(rows, 2), rows);
    const scaled = await logitsOf({
      tensors: {
        [`${name}.weight`]: tensor(weight, columns, rows),
        [`${name}.bias`]: bias,
        [`${name}.scale`]: tensor(Float32Array.of(scale), 1),
      },
    });
    const folded = await logitsOf({
      tensors: { [`${name}.weight`]: tensor(times(weight, scale), columns, rows), [`${name}.bias`]: bias },
    });
    const ignored = await logitsOf({
      tensors: { [`${name}.weight`]: tensor(weight, columns, rows), [`${name}.bias`]: bias },
    });
    expect(largestDifference(scaled, folded)).toBeLessThanOrEqual(1e-5);
    expect(largestDifference(scaled, ignored)).toBeGreaterThan(1e-3);
  });
});

describe('experts', () => {
  const [experts, width] = [3, 16];
  const metadata = { 'llama.expert_count': experts, 'llama.expert_used_count': 2 };
  const gate = numbers(embedding * width * experts, 3);
  const up = numbers(embedding * width * experts, 4);
  const down = numbers(width * embedding * experts, 5);
  /** The same experts in both layers, instead of their feed-forward. */
  const layers = (parts: Tensors): Tensors =>
    inLayers({
      'ffn_gate.weight': undefined,
      'ffn_up.weight': undefined,
      'ffn_down.weight': undefined,
      'ffn_gate_inp.weight': tensor(numbers(embedding * experts, 6), embedding, experts),
      ...parts,
    });
  const apart = layers({
    'ffn_gate_exps.weight': tensor(gate, embedding, width, experts),
    'ffn_up_exps.weight': tensor(up, embedding, width, experts),
    'ffn_down_exps.weight': tensor(down, width, embedding, experts),
  });

  it('with gate and up in one tensor', async () => {
    const slice = embedding * width;
    const joined = new Float32Array(2 * slice * experts);
    for (let expert = 0; expert < experts; expert++) {
      joined.set(gate.subarray(expert * slice, (expert + 1) * slice), 2 * expert * slice);
      joined.set(up.subarray(expert * slice, (expert + 1) * slice), (2 * expert + 1) * slice);
    }
    const fused = layers({
      'ffn_gate_up_exps.weight': tensor(joined, embedding, 2 * width, experts),
      'ffn_down_exps.weight': tensor(down, width, embedding, experts),
    });
    const difference = largestDifference(
      await logitsOf({ metadata, tensors: apart }),
      await logitsOf({ metadata, tensors: fused }),
    );
    expect(difference).toBeLessThanOrEqual(1e-5);
  });

  it('with scales and biases of their own', async () => {
    const scales = Float32Array.of(0.5, 1.5, 2);
    const biases = numbers(embedding * experts, 7);
    const slice = width * embedding;
    const folded = down.map((value, index) => value * (scales[Math.floor(index / slice)] ?? 0));
    const extra = { 'ffn_down_exps.bias': tensor(biases, embedding, experts) };
    const scaled = await logitsOf({
      metadata,
      tensors: { ...apart, ...inLayers({ ...extra, 'ffn_down_exps.scale': tensor(scales, experts) }) },
    });
    const same = await logitsOf({
      metadata,
      tensors: {
        ...apart,
        ...inLayers({ ...extra, 'ffn_down_exps.weight': tensor(folded, width, embedding, experts) }),
      },
    });
    const plain = await logitsOf({ metadata, tensors: apart });
    expect(largestDifference(scaled, same)).toBeLessThanOrEqual(1e-5);
    expect(largestDifference(scaled, plain)).toBeGreaterThan(1e-3);
  });

  it('all of them make the mean of dense ones, if they are equal', async () => {
    const repeat = (values: Float32Array): Float32Array => {
      const slice = values.subarray(0, values.length / experts);
      return Float32Array.from({ length: values.length }, (_, index) => slice[index % slice.length] ?? 0);
    };
    const equal = layers({
      'ffn_gate_exps.weight': tensor(repeat(gate), embedding, width, experts),
      'ffn_up_exps.weight': tensor(repeat(up), embedding, width, experts),
      'ffn_down_exps.weight': tensor(repeat(down), width, embedding, experts),
    });
    const dense = inLayers({
      'ffn_gate.weight': tensor(gate.slice(0, embedding * width), embedding, width),
      'ffn_up.weight': tensor(up.slice(0, embedding * width), embedding, width),
      'ffn_down.weight': tensor(down.slice(0, embedding * width), width, embedding),
    });
    const difference = largestDifference(
      await logitsOf({ metadata, tensors: equal }),
      await logitsOf({ tensors: dense }),
    );
    expect(difference).toBeLessThanOrEqual(1e-5);
  });

  it('of the wrong number are refused', async () => {
    await expect(
      logitsOf({ metadata: { ...metadata, 'llama.expert_count': 4 }, tensors: apart }),
    ).rejects.toMatchObject({ code: 'TENSOR_SHAPE_MISMATCH' });
    await expect(logitsOf({ tensors: apart })).rejects.toMatchObject({ code: 'METADATA_MISSING' });
  });
});

describe('tensors without a place in the graph', () => {
  it('are refused: they would make another model', async () => {
    const tensors = { 'blk.1.ssm_a': tensor(numbers(4, 1), 4) };
    await expect(logitsOf({ tensors })).rejects.toMatchObject({
      code: 'ARCHITECTURE_UNSUPPORTED',
      details: { tensor: 'blk.1.ssm_a' },
    });
  });

  it('are welcome where they change nothing', async () => {
    const tensors = {
      'blk.1.attn_q.input_scale': tensor(Float32Array.of(2), 1),
      'blk.0.attn_rot_embd.weight': tensor(numbers(4, 1), 4),
      'blk.2.nextn.enorm.weight': tensor(numbers(4, 1), 4),
    };
    expect(largestDifference(await logitsOf({ tensors }), await logitsOf({}))).toBe(0);
  });
});
