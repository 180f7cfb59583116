import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';

/** The metadata of one architecture, by keys without its prefix. */
export class ArchitectureKeys {
  readonly architecture: string;
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.architecture = metadata.architecture;
    this.#metadata = metadata;
  }

  /** The whole key. */
  name(suffix: string): string {
    return `${this.architecture}.${suffix}`;
  }

  number(suffix: string): number | undefined {
    return this.#metadata.optionalNumber(this.name(suffix));
  }

  boolean(suffix: string): boolean | undefined {
    return this.#metadata.optionalBoolean(this.name(suffix));
  }

  text(suffix: string): string | undefined {
    return this.#metadata.optionalString(this.name(suffix));
  }

  /** An array; undefined also when the key holds a single value. */
  list(suffix: string): ArrayLike<number> | undefined {
    const value = this.#metadata.value(this.name(suffix));
    return typeof value === 'object' ? this.#metadata.optionalNumbers(this.name(suffix)) : undefined;
  }

  /** One number per layer; a single value counts for all. */
  perLayer(suffix: string, count: number): readonly number[] | undefined {
    return this.#metadata.optionalPerLayer(this.name(suffix), count);
  }

  /** As {@link perLayer}, of a key that has no architecture before it. */
  plainPerLayer(key: string, count: number): readonly number[] | undefined {
    return this.#metadata.optionalPerLayer(key, count);
  }

  /** @throws {RivuletError} `METADATA_MISSING` */
  required(suffix: string): number {
    return this.#metadata.number(this.name(suffix));
  }

  /** A size. @throws {RivuletError} `METADATA_MISSING`, `GGUF_INVALID` */
  size(suffix: string, maximum?: number): number {
    return this.checked(suffix, this.required(suffix), { maximum });
  }

  /** @throws {RivuletError} `GGUF_INVALID` when `value`, read from `suffix`, is not a whole number in range. */
  checked(
    suffix: string,
    value: number,
    {
      minimum = 1,
      maximum = Number.MAX_SAFE_INTEGER,
    }: { minimum?: number; maximum?: number | undefined } = {},
  ): number {
    if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw new RivuletError(
      'GGUF_INVALID',
      `Expected the metadata key "${this.name(suffix)}" to be a whole number from ${minimum} to ${maximum}, found ${value}. The file is damaged or crafted; download it again.`,
      { details: { key: this.name(suffix) } },
    );
  }
}
