import { RivuletError } from '../errors.ts';
import type { TensorInfo, TensorTable } from '../gguf/tensor-table.ts';
import type { LinearWeight, NormWeight } from './dialect.ts';

/** Values of the small tensors (norms, biases, rotary factors), read before the graph is built. */
export type Vectors = ReadonlyMap<string, Float32Array>;

/** The tensors of a model by what they are for, with their shapes checked. */
export class WeightLookup {
  readonly #tensors: TensorTable;
  readonly #vectors: Vectors;

  constructor(tensors: TensorTable, vectors: Vectors) {
    this.#tensors = tensors;
    this.#vectors = vectors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Output width of a matrix; 0 when it is not there. */
  rowsOf(name: string): number {
    return this.#tensors.get(name)?.shape[1] ?? 0;
  }

  /** Input width of a matrix; 0 when it is not there. */
  columnsOf(name: string): number {
    return this.#tensors.get(name)?.shape[0] ?? 0;
  }

  /** @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH` */
  matrix(name: string, columns: number, rows: number): TensorInfo {
    const tensor = this.#tensors.require(name);
    const [foundColumns = 0, foundRows = 1, ...others] = tensor.shape;
    if (foundColumns === columns && foundRows === rows && others.every((size) => size === 1)) return tensor;
    throw mismatch(name, [columns, rows], tensor.shape);
  }

  /** `${name}.weight` and, if there, `${name}.bias`. @throws as {@link matrix} */
  linear(name: string, columns: number, rows: number): LinearWeight {
    const weight = this.matrix(`${name}.weight`, columns, rows);
    const bias = this.#vector(`${name}.bias`, [rows]);
    return bias === undefined ? { weight } : { weight, bias, biasName: `${name}.bias` };
  }

  /** `${name}.weight` of one of the lengths, with bias; undefined when the file has none. */
  norm(name: string, ...lengths: number[]): NormWeight | undefined {
    const weight = this.#vector(`${name}.weight`, lengths);
    if (weight === undefined) return undefined;
    const bias = this.#vector(`${name}.bias`, lengths);
    return { name: `${name}.weight`, weight, ...(bias === undefined ? {} : { bias }) };
  }

  /** @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH` */
  requiredNorm(name: string, length: number): NormWeight {
    this.#tensors.require(`${name}.weight`);
    const norm = this.norm(name, length);
    if (norm === undefined) throw mismatch(`${name}.weight`, [length], []);
    return norm;
  }

  #vector(name: string, lengths: readonly number[]): Float32Array | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) return undefined;
    const values = this.#vectors.get(name);
    if (values === undefined || !lengths.includes(values.length)) throw mismatch(name, lengths, tensor.shape);
    return values;
  }
}

function mismatch(name: string, expected: readonly number[], found: readonly number[]): RivuletError {
  return new RivuletError(
    'TENSOR_SHAPE_MISMATCH',
    `Expected the tensor "${name}" with shape [${expected.join(', ')}], found [${found.join(', ')}]. Metadata and tensors do not belong together; download the file again.`,
    { details: { tensor: name } },
  );
}
