import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { contribDomain, GraphBuilder } from '../../src/onnx/graph-builder.ts';

/** Runs a graph with one float input `x` and one output `y`. */
async function run(
  graph: GraphBuilder,
  values: number[],
  dimensions: number[],
  folder = '',
): Promise<number[]> {
  const session = await InferenceSession.create(
    graph.build(),
    folder === '' ? {} : { extra: { session: { model_external_initializers_file_folder_path: folder } } },
  );
  const { y } = await session.run({ x: new Tensor('float32', values, dimensions) });
  await session.release();
  return Array.from((y?.data ?? []) as Float32Array);
}

describe('the graph builder writes models that ONNX Runtime runs', () => {
  it('nodes, constants and named outputs', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float', ['n']);
    const sum = graph.node('Add', [x, graph.constant('c', 'float', [1], Float32Array.of(0.5))]);
    graph.output(graph.rename(graph.node('Mul', [sum, graph.scalar(2)]), 'y'), 'float', ['n']);
    expect(await run(graph, [1, 2], [2])).toEqual([3, 5]);
  });

  it('attributes of every kind, other domains, several outputs', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float', [2, 2]);
    const [left = '', right = ''] = graph.nodes('Split', [x], {
      attributes: { axis: 1, num_outputs: 2 },
      outputs: 2,
    });
    const turned = graph.node('Transpose', [right], { attributes: { perm: { ints: [1, 0] } } });
    const product = graph.node('MatMul', [left, turned]);
    const active = graph.node('QuickGelu', [product], {
      domain: contribDomain,
      attributes: { alpha: { float: 1 } },
    });
    const gelu = graph.node('Gelu', [active], { attributes: { approximate: 'none' } });
    graph.output(graph.rename(gelu, 'y'), 'float', [2, 2]);
    expect(await run(graph, [0, 5, 0, 7], [2, 2])).toEqual([0, 0, 0, 0]);
  });

  it('tensors that stay in a file, at any offset', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rivulet-onnx-'));
    try {
      const floats = Float32Array.of(10, 20);
      writeFileSync(
        join(folder, 'weights.bin'),
        Buffer.concat([Buffer.alloc(101), Buffer.from(floats.buffer)]),
      );
      const graph = new GraphBuilder();
      const x = graph.input('x', 'float', [2]);
      const w = graph.external('w', 'float', [2], {
        file: 'weights.bin',
        offsetBytes: 101,
        lengthBytes: 8,
      });
      graph.output(graph.rename(graph.node('Add', [x, w]), 'y'), 'float', [2]);
      expect(await run(graph, [1, 2], [2], folder)).toEqual([11, 22]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('a constant is added once per name', () => {
    const graph = new GraphBuilder();
    graph.scalar(3);
    const before = graph.build().length;
    graph.scalar(3);
    expect(graph.build().length).toBe(before);
  });
});
