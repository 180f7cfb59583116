import { contribDomain } from '../onnx/graph-builder.ts';
import type { ExternalData, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { ExpertWeight, Vector } from './dialect.ts';
import { floatElementType } from './portable-matrices.ts';
import type { WeightPack } from './weight-pack.ts';

/** The matrices of one token's experts, gathered into one. */
type GatheredMatrix = { readonly columns: number; readonly rows: number } & (
  | {
      readonly kind: 'float';
      /** (rows, columns) f32 */
      readonly values: Value;
    }
  | {
      readonly kind: 'codes';
      readonly bits: 4 | 8;
      readonly blockSize: number;
      /** (rows, columns / blockSize, blockSize * bits / 8) u8 */
      readonly codes: Value;
      /** (rows, columns / blockSize) f32 */
      readonly scales: Value;
      readonly correction?: Value;
    }
);

/** How matrices of several experts become one: one below the other, or side by side. */
type Arrangement = 'stacked' | 'abreast';

/**
 * Products with the experts that one token chose. Their matrices are taken out of the tensor of all of them, so
 * that a graph has as many nodes for 256 experts as for two and holds no copy of the weights.
 */
export class PortableExperts {
  readonly #graph: GraphBuilder;
  readonly #pack: WeightPack;

  constructor(graph: GraphBuilder, pack: WeightPack) {
    this.#graph = graph;
    this.#pack = pack;
  }

  /**
   * One input (1, columns) through each of `count` chosen experts: (count, rows). `factors` (count, 1) multiply
   * the input of each.
   */
  spread(input: Value, weight: ExpertWeight, chosen: Value, count: number, factors?: Value): Value {
    const graph = this.#graph;
    const [, rows = 0] = weight.weight.shape;
    const product = this.#product(input, this.#gather(weight, chosen, count, 'stacked'));
    let each = graph.node('Reshape', [product, graph.integers(count, rows)]);
    if (factors !== undefined) each = graph.node('Mul', [each, factors]);
    if (weight.scales !== undefined) each = graph.node('Mul', [each, this.#scales(weight.scales, chosen)]);
    const biases = this.#biases(weight, chosen);
    return biases === undefined ? each : graph.node('Add', [each, biases]);
  }

  /** Inputs (count, columns) through an expert each, times `factors` (count, 1), summed up: (1, rows). */
  sum(inputs: Value, weight: ExpertWeight, chosen: Value, count: number, factors: Value): Value {
    const graph = this.#graph;
    const [columns = 0] = weight.weight.shape;
    let weighed = graph.node('Mul', [inputs, factors]);
    if (weight.scales !== undefined) {
      weighed = graph.node('Mul', [weighed, this.#scales(weight.scales, chosen)]);
    }
    const row = graph.node('Reshape', [weighed, graph.integers(1, count * columns)]);
    const product = this.#product(row, this.#gather(weight, chosen, count, 'abreast'));
    const biases = this.#biases(weight, chosen);
    if (biases === undefined) return product;
    return graph.node('Gemm', [factors, biases, product], { attributes: { transA: 1 } });
  }

  #product(input: Value, matrix: GatheredMatrix): Value {
    const graph = this.#graph;
    if (matrix.kind === 'float') {
      return graph.node('Gemm', [input, matrix.values], { attributes: { transB: 1 } });
    }
    const { columns, rows, bits, blockSize } = matrix;
    const product = graph.node('MatMulNBits', [input, matrix.codes, matrix.scales], {
      domain: contribDomain,
      attributes: { K: columns, N: rows, bits, block_size: blockSize },
    });
    if (matrix.correction === undefined) return product;
    const blocks = graph.node('Reshape', [input, graph.integers(1, columns / blockSize, blockSize)]);
    const sums = graph.node('ReduceSum', [blocks, graph.integers(2)], { attributes: { keepdims: 0 } });
    return graph.node('Gemm', [sums, matrix.correction, product], { attributes: { transB: 1 } });
  }

  #gather({ weight }: ExpertWeight, chosen: Value, count: number, arrangement: Arrangement): GatheredMatrix {
    const [columns = 0, rows = 0, experts = 1] = weight.shape;
    const matrix = this.#pack.matrix(weight);
    const size =
      arrangement === 'stacked' ? { columns, rows: rows * count } : { columns: columns * count, rows };
    /** Rows of `parts` pieces of `length` elements each. */
    const take = (
      name: string,
      type: 'float' | 'float16' | 'bfloat16' | 'uint8',
      data: ExternalData,
      parts: number,
      length: number,
    ): Value => {
      const graph = this.#graph;
      const all = graph.external(name, type, [experts, rows, parts, length], data);
      const own = graph.node('Gather', [all, chosen], { attributes: { axis: 0 } });
      const arranged =
        arrangement === 'stacked'
          ? own
          : graph.node('Transpose', [own], { attributes: { perm: { ints: [1, 0, 2, 3] } } });
      const shape = [size.rows, (size.columns / columns) * parts, ...(type === 'uint8' ? [length] : [])];
      return graph.node('Reshape', [arranged, graph.integers(...shape)]);
    };
    if (matrix.kind === 'float') {
      const values = take(weight.name, floatElementType(weight), matrix.data, columns, 1);
      const floats =
        weight.type === 'F32' ? values : this.#graph.node('Cast', [values], { attributes: { to: 1 } });
      return { ...size, kind: 'float', values: floats };
    }
    const { bits, blockSize } = matrix;
    const blocks = columns / blockSize;
    return {
      ...size,
      kind: 'codes',
      bits,
      blockSize,
      codes: take(`${weight.name}.codes`, 'uint8', matrix.codes, blocks, (blockSize * bits) / 8),
      scales: take(`${weight.name}.scales`, 'float', matrix.scales, blocks, 1),
      ...(matrix.correction === undefined
        ? {}
        : { correction: take(`${weight.name}.correction`, 'float', matrix.correction, blocks, 1) }),
    };
  }

  /** (count, rows) */
  #biases({ weight, bias, biasName }: ExpertWeight, chosen: Value): Value | undefined {
    if (bias === undefined) return undefined;
    const [, rows = 0, experts = 1] = weight.shape;
    const all = this.#graph.constant(biasName ?? `${weight.name}.bias`, 'float', [experts, rows], bias);
    return this.#graph.node('Gather', [all, chosen], { attributes: { axis: 0 } });
  }

  /** (count, 1) */
  #scales({ name, values }: Vector, chosen: Value): Value {
    const all = this.#graph.constant(name, 'float', [values.length, 1], values);
    return this.#graph.node('Gather', [all, chosen], { attributes: { axis: 0 } });
  }
}
