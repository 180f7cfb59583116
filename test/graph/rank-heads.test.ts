import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import { openEncoder } from '../../src/open-encoder.ts';
import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Pooling } from '../../src/session/encoder.ts';
import { bytesOf } from '../support/tiny-llama.ts';
import { writeGguf } from '../support/write-gguf.ts';
import type { PlainValue, WritableTensor } from '../support/write-gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-heads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers that differ from place to place, small enough for no function to saturate. */
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin((index + 1) * seed) * 0.3);

interface Head {
  readonly inner?: {
    readonly weight: Float32Array;
    readonly bias?: Float32Array;
    readonly norm?: Float32Array;
  };
  readonly outer: {
    readonly name: 'cls' | 'cls.output';
    readonly weight: Float32Array;
    readonly bias?: Float32Array;
  };
}

/** A tiny model of the conformance data with a classification head of its own. */
async function writeWithHead(
  name: string,
  width: number,
  head: Head,
  names?: readonly string[],
): Promise<string> {
  const source = join(folder, `${name}-source.gguf`);
  const packed = fileURLToPath(new URL(`../conformance/tiny-models/${name}.gguf.gz`, import.meta.url));
  writeFileSync(source, gunzipSync(readFileSync(packed)));
  const gguf = await openGguf(nodePlatform, source);
  const { architecture } = gguf.metadata;
  const tensors: WritableTensor[] = [];
  for (const tensor of gguf.tensors) {
    const bytes = await gguf.sources[0]?.read(tensor.offset, tensor.byteLength);
    tensors.push({
      name: tensor.name,
      type: tensor.type,
      shape: tensor.shape,
      bytes: bytes ?? new Uint8Array(),
    });
  }
  await closeGguf(gguf);
  const add = (tensor: string, shape: readonly number[], values: Float32Array | undefined): void => {
    if (values !== undefined) tensors.push({ name: tensor, type: 'F32', shape, bytes: bytesOf(values) });
  };
  add('cls.weight', [width, width], head.inner?.weight);
  add('cls.bias', [width], head.inner?.bias);
  add('cls.norm.weight', [width], head.inner?.norm);
  const labels = head.outer.weight.length / width;
  add(`${head.outer.name}.weight`, [width, labels], head.outer.weight);
  add(`${head.outer.name}.bias`, [labels], head.outer.bias);
  const metadata = Array.from(gguf.metadata.entries, ([key, value]): [string, PlainValue] => [
    key,
    typeof value === 'object'
      ? (Array.from(value as ArrayLike<string>) satisfies PlainValue)
      : (value as PlainValue),
  ]).filter(([key]) => key !== `${architecture}.pooling_type`);
  metadata.push([`${architecture}.pooling_type`, 4]);
  if (names !== undefined) metadata.push([`${architecture}.classifier.output_labels`, names]);
  const path = join(folder, `${name}-${labels}.gguf`);
  writeFileSync(path, writeGguf({ metadata, tensors }));
  return path;
}

function product(weight: Float32Array, bias: Float32Array | undefined, row: readonly number[]): number[] {
  return Array.from({ length: weight.length / row.length }, (_, index) =>
    row.reduce(
      (sum, value, column) => sum + value * (weight[index * row.length + column] ?? 0),
      bias?.[index] ?? 0,
    ),
  );
}

function layerNorm(row: readonly number[], weight: Float32Array): number[] {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, index) => ((value - mean) / Math.sqrt(variance + 1e-5)) * (weight[index] ?? 0));
}

/** The tanh form. */
const gelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

interface HeadCase {
  readonly model: string;
  readonly width: number;
  readonly head: Head;
  readonly labelNames?: readonly string[];
  /** Which row the head of the architecture looks at, and its function. */
  readonly rows: Pooling;
  readonly activation: (x: number) => number;
}

const cases: readonly HeadCase[] = [
  {
    model: 'modern-bert',
    width: 48,
    head: {
      inner: { weight: numbers(48 * 48, 1.7), norm: numbers(48, 0.9) },
      outer: { name: 'cls.output', weight: numbers(48, 2.3), bias: numbers(1, 3.1) },
    },
    rows: 'mean',
    activation: gelu,
  },
  {
    model: 'bert',
    width: 64,
    head: {
      inner: { weight: numbers(64 * 64, 1.3), bias: numbers(64, 2.9) },
      outer: { name: 'cls.output', weight: numbers(3 * 64, 0.7), bias: numbers(3, 1.1) },
    },
    labelNames: ['contradiction', 'entailment', 'neutral'],
    rows: 'cls',
    activation: Math.tanh,
  },
  {
    // As jina-reranker-v1: one matrix, whose product is the score itself.
    model: 'jina-bert-v2',
    width: 64,
    head: { outer: { name: 'cls', weight: numbers(64, 0.7), bias: numbers(1, 1.1) } },
    rows: 'cls',
    activation: Math.tanh,
  },
  {
    // As qwen3-reranker: logits of yes and no after the last token.
    model: 'qwen2-embedding',
    width: 64,
    head: { outer: { name: 'cls.output', weight: numbers(2 * 64, 0.7) } },
    labelNames: ['yes', 'no'],
    rows: 'last',
    activation: Math.tanh,
  },
];

describe.each(['native', 'portable'] as const)('rank heads in the %s dialect', (dialect) => {
  it.each(cases)('$model', async ({ model, width, head, labelNames, rows, activation }) => {
    const path = await writeWithHead(model, width, head, labelNames);
    const encoder = await openEncoder(nodePlatform, path, { dialect, cache: join(folder, 'cache') });
    const tokens = Int32Array.of(2, 17, 40, 9, 61, 28, 3);
    const other = Int32Array.of(5, 6);
    const [vector, first, scores] = await encoder.encode([
      { tokens, pooling: rows },
      { tokens: other, pooling: 'rank' },
      { tokens, pooling: 'rank' },
    ]);
    expect(encoder.info).toMatchObject({ pooling: 'rank', labels: head.outer.weight.length / width });
    expect(encoder.info.labelNames).toEqual(labelNames);
    await encoder.dispose();
    let row = Array.from(vector ?? []);
    if (head.inner !== undefined) {
      row = product(head.inner.weight, head.inner.bias, row).map(activation);
      if (head.inner.norm !== undefined) row = layerNorm(row, head.inner.norm);
    }
    const expected = product(head.outer.weight, head.outer.bias, row);
    expect(scores).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) expect(scores?.[index]).toBeCloseTo(value, 4);
    expect(first).not.toEqual(scores);
  });
});
