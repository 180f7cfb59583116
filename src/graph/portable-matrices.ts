import { RivuletError } from '../errors.ts';
import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { TensorType } from '../gguf/tensor-type.ts';
import { contribDomain } from '../onnx/graph-builder.ts';
import type { ExternalData, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { LinearWeight } from './dialect.ts';
import { portableNames } from './portable-io.ts';
import type { PackedMatrix, WeightPack } from './weight-pack.ts';

/**
 * How MatMulNBits takes activations: 0 = f32, 4 = int8 per block. 8-bit weights are fast with 4 only. For 4-bit
 * weights f32 costs 21 % of the decode speed and gains 25 % in prefill; the KL divergence from the exact model falls
 * from 0.0035 to 0.0008, and to 0.0000 with {@link PortableMatrices.multiplyPrecisely} for the head, which costs 4 %
 * more (SmolLM2-135M Q4_1, paired medians on two Zen 4 cores).
 */
const accuracyLevels = { 4: 0, 8: 4 } as const;

/** Blocks of zeros must not divide by zero. */
const smallestBlock = 1e-30;

/** A matrix of the graph: a whole tensor, or one of the matrices in it. */
interface MatrixPart {
  readonly name: string;
  readonly type: TensorType;
  readonly columns: number;
  readonly rows: number;
  readonly matrix: PackedMatrix;
}

/** Products and look-ups with the matrices of a {@link WeightPack}. */
export class PortableMatrices {
  readonly #graph: GraphBuilder;
  readonly #pack: WeightPack;
  readonly #blockSums = new Map<string, Value>();

  constructor(graph: GraphBuilder, pack: WeightPack) {
    this.#graph = graph;
    this.#pack = pack;
  }

  /** input × weightᵀ + bias: (nTokens, rows). */
  multiply(input: Value, { weight, bias, biasName }: LinearWeight): Value {
    const matrix = this.#pack.matrix(weight);
    const [columns = 0, rows = 0] = weight.shape;
    return this.#multiply(
      input,
      { name: weight.name, type: weight.type, columns, rows, matrix },
      bias === undefined
        ? undefined
        : this.#graph.constant(biasName ?? `${weight.name}.bias`, 'float', [rows], bias),
    );
  }

  #multiply(input: Value, part: MatrixPart, bias: Value | undefined): Value {
    const graph = this.#graph;
    const { name, columns, rows, matrix } = part;
    const biasInput = bias === undefined ? [] : [bias];
    if (matrix.kind === 'float') {
      return graph.node('Gemm', [input, this.#floats(part, matrix.data), ...biasInput], {
        attributes: { transB: 1 },
      });
    }
    const blocks = columns / matrix.blockSize;
    const codes = graph.external(
      `${name}.codes`,
      'uint8',
      [rows, blocks, (matrix.blockSize * matrix.bits) / 8],
      matrix.codes,
    );
    const scales = graph.external(`${name}.scales`, 'float', [rows, blocks], matrix.scales);
    const product = graph.node(
      'MatMulNBits',
      [input, codes, scales, ...(bias === undefined ? [] : ['', '', bias])],
      {
        domain: contribDomain,
        attributes: {
          K: columns,
          N: rows,
          bits: matrix.bits,
          block_size: matrix.blockSize,
          accuracy_level: accuracyLevels[matrix.bits],
        },
      },
    );
    if (matrix.correction === undefined) return product;
    const correction = graph.external(`${name}.correction`, 'float', [rows, blocks], matrix.correction);
    return graph.node('Gemm', [this.#sumBlocks(input, blocks, matrix.blockSize), correction, product], {
      attributes: { transB: 1 },
    });
  }

  /**
   * A product without the error of int8 activations: the input is taken apart into what int8 holds exactly and
   * a rest about 254 times smaller, and both go through the same weights as two rows.
   */
  multiplyPrecisely(input: Value, linear: LinearWeight): Value {
    const matrix = this.#pack.matrix(linear.weight);
    if (matrix.kind === 'float' || accuracyLevels[matrix.bits] === 0) return this.multiply(input, linear);
    const graph = this.#graph;
    const [columns = 0] = linear.weight.shape;
    const blocks = columns / matrix.blockSize;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, blocks, matrix.blockSize)]);
    const largest = graph.node('ReduceMax', [graph.node('Abs', [shaped]), graph.integers(2)]);
    const step = graph.node('Mul', [
      graph.node('Max', [largest, graph.scalar(smallestBlock)]),
      graph.scalar(1 / 127),
    ]);
    const coarse = graph.node('Mul', [graph.node('Round', [graph.node('Div', [shaped, step])]), step]);
    const rest = graph.node('Sub', [shaped, coarse]);
    const rows = graph.node('Reshape', [
      graph.node('Concat', [coarse, rest], { attributes: { axis: 0 } }),
      graph.integers(-1, columns),
    ]);
    const { bias: _bias, ...unbiased } = linear;
    const [upper = '', lower = ''] = graph.nodes('Split', [this.multiply(rows, unbiased)], {
      attributes: { axis: 0, num_outputs: 2 },
      outputs: 2,
    });
    const product = graph.node('Add', [upper, lower]);
    if (linear.bias === undefined) return product;
    const bias = graph.constant(`${linear.weight.name}.bias`, 'float', [linear.bias.length], linear.bias);
    return graph.node('Add', [product, bias]);
  }

  /** (nTokens, blocks) sums of the input's blocks, once per input. */
  #sumBlocks(input: Value, blocks: number, blockSize: number): Value {
    const known = this.#blockSums.get(`${input}/${blockSize}`);
    if (known !== undefined) return known;
    const graph = this.#graph;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, blocks, blockSize)]);
    const sums = graph.node('ReduceSum', [shaped, graph.integers(2)], { attributes: { keepdims: 0 } });
    this.#blockSums.set(`${input}/${blockSize}`, sums);
    return sums;
  }

  #floats(part: MatrixPart, data: ExternalData): Value {
    const value = this.#rawFloats(part, data);
    return part.type === 'F32' ? value : this.#graph.node('Cast', [value], { attributes: { to: 1 } });
  }

  #rawFloats(part: MatrixPart, data: ExternalData): Value {
    return this.#graph.external(part.name, floatElementType(part), [part.rows, part.columns], data);
  }

  /** Rows of a table by (nTokens,) i64 indices, by default the step's token ids: (nTokens, columns). */
  rowsOf(table: TensorInfo, indices: Value = portableNames.tokens): Value {
    const graph = this.#graph;
    const [columns = 0, rows = 0] = table.shape;
    const matrix = this.#pack.matrix(table);
    if (matrix.kind === 'float') {
      const part = { name: table.name, type: table.type, columns, rows, matrix };
      const picked = graph.node('Gather', [this.#rawFloats(part, matrix.data), indices]);
      return table.type === 'F32' ? picked : graph.node('Cast', [picked], { attributes: { to: 1 } });
    }
    const blocks = columns / matrix.blockSize;
    const picked = graph.node(
      'GatherBlockQuantized',
      [
        graph.external(`${table.name}.rows`, 'uint8', [rows, (columns * matrix.bits) / 8], matrix.codes),
        indices,
        graph.external(`${table.name}.scales`, 'float', [rows, blocks], matrix.scales),
      ],
      {
        domain: contribDomain,
        attributes: {
          gather_axis: 0,
          quantize_axis: 1,
          bits: matrix.bits,
          block_size: matrix.blockSize,
        },
      },
    );
    if (matrix.correction === undefined) return picked;
    const correction = graph.external(`${table.name}.correction`, 'float', [rows, blocks], matrix.correction);
    const offsets = graph.node('Unsqueeze', [graph.node('Gather', [correction, indices]), graph.integers(2)]);
    const shaped = graph.node('Reshape', [picked, graph.integers(-1, blocks, matrix.blockSize)]);
    return graph.node('Reshape', [graph.node('Add', [shaped, offsets]), graph.integers(-1, columns)]);
  }
}

/** @throws {RivuletError} `TENSOR_TYPE_UNSUPPORTED` */
export function floatElementType(part: {
  readonly name: string;
  readonly type: TensorType;
}): 'float' | 'float16' | 'bfloat16' {
  const { name, type } = part;
  if (type === 'F32') return 'float';
  if (type === 'F16') return 'float16';
  if (type === 'BF16') return 'bfloat16';
  throw new RivuletError(
    'TENSOR_TYPE_UNSUPPORTED',
    `The matrix "${name}" is stored as ${type}, which the portable dialect cannot run yet. Choose a file of another quantization, for example Q4_K_M or Q8_0.`,
    { details: { tensor: name, type } },
  );
}
