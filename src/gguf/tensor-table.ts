import { RivuletError } from '../errors.ts';
import type { TensorType } from './tensor-type.ts';

/** Where one tensor lies. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order: the first dimension is contiguous; a matrix is [columns, rows]. */
  readonly shape: readonly number[];
  readonly elementCount: number;
  readonly byteLength: number;
  /** Index of the file that holds it. */
  readonly shard: number;
  /** From the start of that file, in bytes. */
  readonly offset: number;
}

/** All tensors of a model, shards joined, in file order. */
export class TensorTable implements Iterable<TensorInfo> {
  readonly #byName: ReadonlyMap<string, TensorInfo>;

  constructor(tensors: Iterable<TensorInfo>) {
    this.#byName = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
  }

  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): TensorInfo | undefined {
    return this.#byName.get(name);
  }

  /** @throws {RivuletError} `TENSOR_MISSING` */
  require(name: string): TensorInfo {
    const tensor = this.#byName.get(name);
    if (tensor !== undefined) return tensor;
    throw new RivuletError(
      'TENSOR_MISSING',
      `Expected a tensor "${name}" in the file, but it is not there (${this.size} tensors). The file is incomplete or of another architecture than it says; download it again.`,
      { details: { tensor: name } },
    );
  }

  [Symbol.iterator](): Iterator<TensorInfo> {
    return this.#byName.values();
  }
}
