import type { TensorInfo } from '../gguf/tensor-table.ts';
import { contribDomain } from '../onnx/graph-builder.ts';
import type { ExternalData, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { ExpertWeight, Vector } from './dialect.ts';
import { floatElementType } from './portable-matrices.ts';
import type { PackedMatrix, WeightPack } from './weight-pack.ts';

/** A matrix that was taken out of a tensor of many. */
type TakenMatrix = { readonly columns: number; readonly rows: number } & (
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

/** One tensor of the graph that belongs to every matrix of a stack. */
interface MatrixData {
  readonly name: string;
  readonly type: 'float' | 'float16' | 'bfloat16' | 'uint8';
  readonly data: ExternalData;
  /** Of one matrix. */
  readonly shape: readonly number[];
}

/** How matrices of several experts become one: one below the other, or side by side. */
type Arrangement = 'stacked' | 'abreast';

/**
 * Products with tensors that hold a matrix per expert or head. A matrix is taken out when it is needed, so that a
 * graph has as many nodes for 256 experts as for two and holds no copy of the weights.
 */
export class PortableStacks {
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

  /** Each of the inputs (count, nTokens, columns) with its own matrix: (count, nTokens, rows). */
  each(inputs: Value, weight: TensorInfo): Value {
    const graph = this.#graph;
    const [columns = 0, rows = 0, count = 1] = weight.shape;
    const matrix = this.#pack.matrix(weight);
    const parts = this.#parts(weight, matrix).map(({ name, type, data, shape }) => ({
      type,
      dimensions: shape,
      value: graph.external(name, type, [count, ...shape], data),
    }));
    const body = graph.body(
      [{ type: 'float', dimensions: ['nTokens', columns] }, ...parts],
      ([input = '', first = '', scales = '', correction]) => {
        const size = { columns, rows };
        if (matrix.kind === 'float') {
          const values = this.#floats(weight, first);
          return [this.#product(input, { ...size, kind: 'float', values })];
        }
        const { bits, blockSize } = matrix;
        const codes = { ...size, kind: 'codes', bits, blockSize, codes: first, scales } as const;
        return [this.#product(input, correction === undefined ? codes : { ...codes, correction })];
      },
    );
    return graph.node('Scan', [inputs, ...parts.map(({ value }) => value)], {
      attributes: { body, num_scan_inputs: 1 + parts.length },
    });
  }

  #product(input: Value, matrix: TakenMatrix): Value {
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
    const blocks = graph.node('Reshape', [input, graph.integers(-1, columns / blockSize, blockSize)]);
    const sums = graph.node('ReduceSum', [blocks, graph.integers(2)], { attributes: { keepdims: 0 } });
    return graph.node('Gemm', [sums, matrix.correction, product], { attributes: { transB: 1 } });
  }

  #gather({ weight }: ExpertWeight, chosen: Value, count: number, arrangement: Arrangement): TakenMatrix {
    const [columns = 0, rows = 0, experts = 1] = weight.shape;
    const matrix = this.#pack.matrix(weight);
    const size =
      arrangement === 'stacked' ? { columns, rows: rows * count } : { columns: columns * count, rows };
    const [first = '', scales = '', correction] = this.#parts(weight, matrix).map((part) => {
      const graph = this.#graph;
      // The first two dimensions are rows and pieces of a row.
      const [, pieces = 1, ...piece] = part.shape;
      const all = graph.external(part.name, part.type, [experts, ...part.shape], part.data);
      const own = graph.node('Gather', [all, chosen], { attributes: { axis: 0 } });
      const perm = { ints: [1, 0, ...part.shape.slice(1).map((_, axis) => axis + 2)] };
      const arranged =
        arrangement === 'stacked' ? own : graph.node('Transpose', [own], { attributes: { perm } });
      const shape = [size.rows, (size.columns / columns) * pieces, ...piece];
      return graph.node('Reshape', [arranged, graph.integers(...shape)]);
    });
    if (matrix.kind === 'float') return { ...size, kind: 'float', values: this.#floats(weight, first) };
    const { bits, blockSize } = matrix;
    const codes = { ...size, kind: 'codes', bits, blockSize, codes: first, scales } as const;
    return correction === undefined ? codes : { ...codes, correction };
  }

  /** What one matrix of a tensor consists of: its numbers; or codes, scales and perhaps correction. */
  #parts(weight: TensorInfo, matrix: PackedMatrix): readonly MatrixData[] {
    const [columns = 0, rows = 0] = weight.shape;
    if (matrix.kind === 'float') {
      const type = floatElementType(weight);
      return [{ name: weight.name, type, data: matrix.data, shape: [rows, columns] }];
    }
    const { bits, blockSize, codes, scales, correction } = matrix;
    const blocks = columns / blockSize;
    const floats = (part: string, data: ExternalData): MatrixData => ({
      name: `${weight.name}.${part}`,
      type: 'float',
      data,
      shape: [rows, blocks],
    });
    return [
      {
        name: `${weight.name}.codes`,
        type: 'uint8',
        data: codes,
        shape: [rows, blocks, (blockSize * bits) / 8],
      },
      floats('scales', scales),
      ...(correction === undefined ? [] : [floats('correction', correction)]),
    ];
  }

  #floats({ type }: TensorInfo, values: Value): Value {
    return type === 'F32' ? values : this.#graph.node('Cast', [values], { attributes: { to: 1 } });
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
