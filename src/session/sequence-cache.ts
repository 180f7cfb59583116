import { RivuletError } from '../errors.ts';
import type { CacheShape } from '../graph/portable-io.ts';

/**
 * How a sequence grows that outgrows its arrays, in tokens and as a fraction. GroupQueryAttention goes over the whole
 * capacity in every step: room for 1000 tokens more costs 5 ms per token (SmolLM2-135M on two Zen 4 cores).
 */
const growth = { tokens: 64, fraction: 1 / 8 };

/**
 * Keys and values of one sequence, per layer (kvHeads, capacity, headDim) f32, as GroupQueryAttention takes
 * its past. Grows with the tokens; nothing is reserved for the whole context.
 */
export class SequenceCache {
  readonly #layers: readonly CacheShape[];
  readonly #maximumLength: number;
  /** Key and value of every layer in turn. */
  #arrays: Float32Array[];
  #capacity = 0;
  #length = 0;

  constructor(layers: readonly CacheShape[], maximumLength: number) {
    this.#layers = layers;
    this.#maximumLength = maximumLength;
    this.#arrays = [];
  }

  static bytesPerToken(layers: readonly CacheShape[]): number {
    return layers.reduce((sum, { kvHeads, headDim }) => sum + 2 * kvHeads * headDim * 4, 0);
  }

  get length(): number {
    return this.#length;
  }

  /** Tokens that the arrays have room for; at least 1 once {@link key} was asked for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Makes room for `count` more tokens. @throws {RivuletError} `OUT_OF_MEMORY` */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#capacity) return;
    const room = Math.ceil((needed * (1 + growth.fraction)) / growth.tokens) * growth.tokens;
    const capacity = Math.max(needed, Math.min(room, this.#maximumLength));
    this.#arrays = this.#copy(capacity, this.#length);
    this.#capacity = capacity;
  }

  /** (kvHeads, capacity, headDim) */
  key(layer: number): Float32Array {
    return this.#arrays[2 * layer] ?? new Float32Array();
  }

  /** (kvHeads, capacity, headDim) */
  value(layer: number): Float32Array {
    return this.#arrays[2 * layer + 1] ?? new Float32Array();
  }

  /** Takes over new rows, (count, 2 * Σ kvHeads * headDim): per layer key, then value. */
  append(rows: Float32Array, count: number): void {
    this.reserve(count);
    const width = rows.length / count;
    for (let token = 0; token < count; token++) {
      let from = token * width;
      for (const [index, array] of this.#arrays.entries()) {
        const { kvHeads, headDim } = this.#layers[index >> 1] ?? { kvHeads: 0, headDim: 0 };
        for (let head = 0; head < kvHeads; head++) {
          const to = (head * this.#capacity + this.#length + token) * headDim;
          array.set(rows.subarray(from, from + headDim), to);
          from += headDim;
        }
      }
    }
    this.#length += count;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** A copy of the first `length` tokens. */
  fork(length: number): SequenceCache {
    const copy = new SequenceCache(this.#layers, this.#maximumLength);
    copy.#length = Math.min(length, this.#length);
    copy.#capacity = Math.max(growth.tokens, copy.#length);
    copy.#arrays = this.#copy(copy.#capacity, copy.#length);
    return copy;
  }

  #copy(capacity: number, length: number): Float32Array[] {
    try {
      return this.#layers.flatMap(({ kvHeads, headDim }, layer) =>
        [this.#arrays[2 * layer], this.#arrays[2 * layer + 1]].map((old) => {
          const array = new Float32Array(kvHeads * capacity * headDim);
          if (old === undefined) return array;
          for (let head = 0; head < kvHeads; head++) {
            const from = head * this.#capacity * headDim;
            array.set(old.subarray(from, from + length * headDim), head * capacity * headDim);
          }
          return array;
        }),
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RivuletError(
        'OUT_OF_MEMORY',
        `Could not allocate the cache for ${capacity} tokens (${capacity * SequenceCache.bytesPerToken(this.#layers)} bytes). Close other streams, or load the model with a smaller contextLength.`,
        { cause: error },
      );
    }
  }
}
