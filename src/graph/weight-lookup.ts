import { RivuletError } from '../errors.ts';
import type { TensorInfo, TensorTable } from '../gguf/tensor-table.ts';
import type { ModelConfig } from './config.ts';
import type { ExpertWeight, LinearWeight, NormWeight, Vector } from './dialect.ts';

/** Values of the small tensors (norms, biases, rotary factors), read before the graph is built. */
export type Vectors = ReadonlyMap<string, Float32Array>;

/** A matrix whose product is multiplied by a number of the file before its bias is added. */
export interface ScaledWeight extends LinearWeight {
  readonly outputScale?: number;
}

/** The tensors of a model by what they are for, with their shapes checked. */
export class WeightLookup {
  readonly #tensors: TensorTable;
  readonly #vectors: Vectors;
  readonly #taken = new Set<string>();

  constructor(tensors: TensorTable, vectors: Vectors) {
    this.#tensors = tensors;
    this.#vectors = vectors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Output width of a matrix; 0 when it is not there. */
  rowsOf(name: string): number {
    const tensor = this.#tensors.get(name);
    return tensor === undefined ? 0 : (tensor.shape[1] ?? 1);
  }

  /** Input width of a matrix; 0 when it is not there. */
  columnsOf(name: string): number {
    return this.#tensors.get(name)?.shape[0] ?? 0;
  }

  /** How many matrices lie in a tensor; 0 when it is not there. */
  countOf(name: string): number {
    const tensor = this.#tensors.get(name);
    return tensor === undefined ? 0 : (tensor.shape[2] ?? 1);
  }

  /** @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH` */
  matrix(name: string, columns: number, rows: number): TensorInfo {
    return this.#shaped(name, [columns, rows]);
  }

  /** A matrix per head or expert: [columns, rows, count]. @throws as {@link matrix} */
  matrices(name: string, columns: number, rows: number, count: number): TensorInfo {
    return this.#shaped(name, [columns, rows, count]);
  }

  /** `${name}.weight` and, if there, `${name}.bias` and `${name}.scale`. @throws as {@link matrix} */
  linear(name: string, columns: number, rows: number): ScaledWeight {
    const weight = this.matrix(`${name}.weight`, columns, rows);
    const bias = this.#values(`${name}.bias`, [rows]);
    const scale = this.#values(`${name}.scale`, [1])?.[0];
    return {
      weight,
      ...(bias === undefined ? {} : { bias, biasName: `${name}.bias` }),
      ...(scale === undefined ? {} : { outputScale: scale }),
    };
  }

  /** `${name}.weight` of all experts and, if there, their biases and scales. @throws as {@link matrix} */
  experts(name: string, columns: number, rows: number, count: number): ExpertWeight {
    const weight = this.matrices(`${name}.weight`, columns, rows, count);
    const bias = this.#values(`${name}.bias`, [rows * count]);
    const scales = this.vector(`${name}.scale`, count);
    return {
      weight,
      ...(bias === undefined ? {} : { bias, biasName: `${name}.bias` }),
      ...(scales === undefined ? {} : { scales }),
    };
  }

  /** `${name}.weight`, or just `name`, of one of the lengths, with bias; undefined when the file has none. */
  norm(name: string, ...lengths: number[]): NormWeight | undefined {
    // PLaMo files name some norms without the ending.
    const whole = [`${name}.weight`, name].find((each) => this.#tensors.has(each));
    const weight = whole === undefined ? undefined : this.#values(whole, lengths);
    if (whole === undefined || weight === undefined) return undefined;
    const bias = this.#values(`${name}.bias`, [weight.length]);
    return { name: whole, weight, ...(bias === undefined ? {} : { bias }) };
  }

  /** @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH` */
  requiredNorm(name: string, length: number): NormWeight {
    this.#tensors.require(`${name}.weight`);
    const norm = this.norm(name, length);
    if (norm === undefined) throw mismatch(`${name}.weight`, [length], []);
    return norm;
  }

  /** A vector by its whole name; undefined when the file has none. @throws {RivuletError} `TENSOR_SHAPE_MISMATCH` */
  vector(name: string, length: number): Vector | undefined {
    const values = this.#values(name, [length]);
    return values === undefined ? undefined : { name, values };
  }

  /** The first row of a small matrix; undefined when the file has none. */
  firstRow(name: string, length: number): Vector | undefined {
    const rows = Math.max(1, this.rowsOf(name));
    const values = this.#values(name, [length * rows]);
    return values === undefined ? undefined : { name, values: values.subarray(0, length) };
  }

  /** Marks a tensor as having no use here. */
  leave(name: string): void {
    this.#taken.add(name);
  }

  /**
   * One of `count` equal matrices that lie in one tensor, either along a dimension of their own or one below
   * the other. @throws as {@link matrix}
   */
  slice(name: string, columns: number, rows: number, count: number, index: number): TensorInfo {
    const apart = (this.#tensors.get(name)?.shape.length ?? 0) > 2;
    const whole = apart
      ? this.matrices(name, columns, rows, count)
      : this.matrix(name, columns, rows * count);
    const byteLength = whole.byteLength / count;
    return {
      ...whole,
      name: `${name}[${index}]`,
      shape: [columns, rows],
      elementCount: columns * rows,
      offset: whole.offset + index * byteLength,
      byteLength,
    };
  }

  /** One row of a matrix as a matrix. @throws as {@link matrix} */
  row(name: string, columns: number, rows: number, index: number): TensorInfo {
    const whole = this.matrix(name, columns, rows);
    const byteLength = whole.byteLength / rows;
    return {
      ...whole,
      name: `${name}[${index}]`,
      shape: [columns, 1],
      elementCount: columns,
      offset: whole.offset + index * byteLength,
      byteLength,
    };
  }

  /**
   * Every tensor of the layers must have gone into the graph: one that did not would make a different model.
   * @throws {RivuletError} `ARCHITECTURE_UNSUPPORTED`
   */
  requireAllTaken({ layers, architecture, stack }: ModelConfig): void {
    for (const { name } of this.#tensors) {
      const [, found, layer, part = ''] = /^(?:(enc|dec)\.)?blk\.(\d+)\.(.*)$/.exec(name) ?? [];
      if (found !== stack) continue;
      if (layer === undefined || Number(layer) >= layers.length) continue;
      if (this.#taken.has(name) || idleParts.test(part)) continue;
      throw new RivuletError(
        'ARCHITECTURE_UNSUPPORTED',
        `The tensor "${name}" plays no part in what this version knows as "${architecture}", so its output would be wrong. Choose another model of this family, or look for a newer rivulet.`,
        { details: { architecture, tensor: name } },
      );
    }
  }

  /** The tensor, with exactly the dimensions of `shape`. */
  #shaped(name: string, shape: readonly number[]): TensorInfo {
    const tensor = this.#tensors.require(name);
    this.#taken.add(name);
    const found = tensor.shape;
    const length = Math.max(shape.length, found.length);
    for (let axis = 0; axis < length; axis++) {
      if ((found[axis] ?? 1) !== (shape[axis] ?? 1)) throw mismatch(name, shape, found);
    }
    return found.length === shape.length ? tensor : { ...tensor, shape };
  }

  #values(name: string, lengths: readonly number[]): Float32Array | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) return undefined;
    this.#taken.add(name);
    const values = this.#vectors.get(name);
    if (values === undefined || !lengths.includes(values.length)) throw mismatch(name, lengths, tensor.shape);
    return values;
  }
}

/**
 * Parts of a layer that change nothing: angles that are computed, selection biases of layers without experts,
 * scales of quantized activations.
 */
const idleParts = /^(attn_rot_embd\.weight|rope_freqs\.weight|exp_probs_b\.bias|.*\.input_scale)$/;

function mismatch(name: string, expected: readonly number[], found: readonly number[]): RivuletError {
  return new RivuletError(
    'TENSOR_SHAPE_MISMATCH',
    `Expected the tensor "${name}" with shape [${expected.join(', ')}], found [${found.join(', ')}]. Metadata and tensors do not belong together; download the file again.`,
    { details: { tensor: name } },
  );
}
