import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';

import { TensorTable } from '../../src/gguf/tensor-table.ts';
import type { TensorInfo } from '../../src/gguf/tensor-table.ts';
import { PortableStacks } from '../../src/graph/portable-stacks.ts';
import { portableNames } from '../../src/graph/portable-io.ts';
import { PortableMatrices } from '../../src/graph/portable-matrices.ts';
import { WeightPack } from '../../src/graph/weight-pack.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { nBitsLayout } from '../../src/quant/repack-nbits.ts';
import { writePack } from '../../src/session/write-pack.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { readQuantCases } from '../support/quant-cases.ts';
import type { QuantCase } from '../support/quant-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-matrices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cases = readQuantCases(fileURLToPath(new URL('../conformance/quants', import.meta.url))).filter(
  ({ type }) => nBitsLayout(type) !== undefined || ['F32', 'F16', 'BF16'].includes(type),
);

/** What comes out of the nodes that models get. */
interface NodeOutputs {
  readonly rows: Float32Array;
  readonly product: Float32Array;
  /** The product of the head. */
  readonly precise: Float32Array;
  /** The input through the first half of the matrix, and again through the second one. */
  readonly each: Float32Array;
  /** The first row of the input through both halves, the second one first. */
  readonly spread: Float32Array;
  /** The first row of the input through the second half, plus two times the same through the first one. */
  readonly sum: Float32Array;
}

/** Runs a matrix of the reference through the nodes that models get. */
async function runNodes(
  { type, rows, columns, bytes }: QuantCase,
  input: Float32Array,
): Promise<NodeOutputs> {
  const path = join(folder, 'matrix.gguf');
  writeFileSync(path, bytes);
  const source = await openFileSource(path);
  const weight: TensorInfo = {
    name: 'matrix',
    type,
    shape: [columns, rows],
    elementCount: rows * columns,
    byteLength: bytes.length,
    shard: 0,
    offset: 0,
  };
  const halves = { weight: { ...weight, name: 'halves', shape: [columns, rows / 2, 2] } };
  const gguf = { tensors: new TensorTable([weight, halves.weight]), littleEndian: true };
  const pack = new WeightPack(gguf, 'pack.bin', ['matrix.gguf']);
  const graph = new GraphBuilder();
  graph.input(portableNames.tokens, 'int64', ['n']);
  const x = graph.input('x', 'float', ['n', columns]);
  const matrices = new PortableMatrices(graph, pack);
  const stacks = new PortableStacks(graph, pack);
  const batch = graph.node('Unsqueeze', [x, graph.integers(0)]);
  const row = graph.node('Slice', [x, graph.integers(0), graph.integers(1), graph.integers(0)]);
  const chosen = graph.integers(1, 0);
  const factors = graph.constant('factors', 'float', [2, 1], Float32Array.of(1, 2));
  const outputs = {
    rows: matrices.rowsOf(weight),
    product: matrices.multiply(x, { weight }),
    precise: matrices.multiplyPrecisely(x, { weight }),
    each: stacks.each(graph.node('Concat', [batch, batch], { attributes: { axis: 0 } }), halves.weight),
    spread: stacks.spread(row, halves, chosen, 2),
    sum: stacks.sum(
      graph.node('Concat', [row, row], { attributes: { axis: 0 } }),
      halves,
      chosen,
      2,
      factors,
    ),
  };
  for (const [name, value] of Object.entries(outputs)) {
    graph.output(graph.rename(value, name), 'float', name === 'each' ? [2, 'n', 'width'] : ['n', 'width']);
  }
  if (pack.needed) {
    const file = await open(join(folder, 'pack.bin'), 'w');
    await file.truncate(pack.lengthBytes);
    const sink = async (offset: number, part: Uint8Array): Promise<void> => {
      await file.write(part, 0, part.length, offset);
    };
    await writePack({ littleEndian: true, sources: [source] }, pack, sink);
    await file.close();
  }
  await source.close();
  const session = await InferenceSession.create(graph.build(), {
    intraOpNumThreads: 1,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
  const count = input.length / columns;
  const result = await session.run({
    [portableNames.tokens]: new Tensor(
      'int64',
      BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)),
      [rows],
    ),
    x: new Tensor('float32', input, [count, columns]),
  });
  await session.release();
  const floats = (name: string): Float32Array => result[name]?.data as Float32Array;
  return {
    rows: floats('rows'),
    product: floats('product'),
    precise: floats('precise'),
    each: floats('each'),
    spread: floats('spread'),
    sum: floats('sum'),
  };
}

/** Largest error of a product, relative to the sum of its terms' sizes; the sums are in f64. */
function relativeError(
  { values, rows, columns }: QuantCase,
  input: Float32Array,
  product: Float32Array,
): number {
  let worst = 0;
  for (let token = 0; token * columns < input.length; token++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      let size = 1e-30;
      for (let column = 0; column < columns; column++) {
        const term = (values[row * columns + column] ?? 0) * (input[token * columns + column] ?? 0);
        sum += term;
        size += Math.abs(term);
      }
      const error = Math.abs((product[token * rows + row] ?? Number.NaN) - sum) / size;
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

describe('every weight type through the nodes of the portable dialect', () => {
  it.each(cases.map((each) => [`${each.type} ${each.kind}`, each] as const))('%s', async (_, each) => {
    const { rows, columns, values, vector } = each;
    for (const count of [1, 3]) {
      const input = Float32Array.from({ length: count * columns }, (_value, index) => {
        const token = Math.floor(index / columns);
        return (vector[index % columns] ?? 0) * (1 - token) + Math.sin(index) * token;
      });
      const found = await runNodes(each, input);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
      const worstRow = found.rows.reduce(
        (most, value, index) => Math.max(most, Math.abs(value - (values[index] ?? Number.NaN))),
        0,
      );
      expect(found.rows.length).toBe(rows * columns);
      expect(worstRow / largest, 'rows of a table').toBeLessThanOrEqual(1e-6);
      expect(relativeError(each, input, found.precise), 'head').toBeLessThanOrEqual(2e-5);
      const isInt8 = nBitsLayout(each.type)?.bits === 8;
      expect(relativeError(each, input, found.product), 'layer').toBeLessThanOrEqual(isInt8 ? 5e-3 : 2e-5);
      const middle = (rows * columns) / 2;
      const upper = { ...each, rows: rows / 2, values: values.subarray(0, middle) };
      const lower = { ...each, rows: rows / 2, values: values.subarray(middle) };
      const half = found.each.length / 2;
      expect(relativeError(upper, input, found.each.subarray(0, half)), 'each, first').toBeLessThanOrEqual(
        2e-5,
      );
      expect(relativeError(lower, input, found.each.subarray(half)), 'each, second').toBeLessThanOrEqual(
        2e-5,
      );
      const first = input.subarray(0, columns);
      const spread = [found.spread.subarray(0, rows / 2), found.spread.subarray(rows / 2)] as const;
      expect(relativeError(lower, first, spread[0]), 'chosen first').toBeLessThanOrEqual(2e-5);
      expect(relativeError(upper, first, spread[1]), 'chosen second').toBeLessThanOrEqual(2e-5);
      const both = {
        ...each,
        rows: rows / 2,
        values: lower.values.map((value, index) => value + 2 * (upper.values[index] ?? 0)),
      };
      expect(relativeError(both, first, found.sum), 'summed').toBeLessThanOrEqual(1e-4);
    }
  });
});
