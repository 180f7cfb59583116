import { RivuletError } from '../errors.ts';
import { StringList } from './string-list.ts';

/** An array value: numbers as typed array, 64-bit ones as bigint arrays, booleans as 0/1 bytes. */
export type MetadataArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array
  | readonly string[]
  | readonly MetadataArray[];

/** 64-bit integers within the safe range arrive as number, larger ones as bigint. */
export type MetadataValue = number | bigint | boolean | string | MetadataArray;

/** How a value lies in memory: of long lists of strings, most readers want few. */
export type StoredValue = MetadataValue | StringList;

/** Longer arrays are vocabularies; those per layer are shorter. */
const longestKeptArray = 4096;

/** The key/value part of a GGUF file. A `Map`, because keys are untrusted. */
export class Metadata {
  readonly #stored: ReadonlyMap<string, StoredValue>;
  #entries: ReadonlyMap<string, MetadataValue> | undefined;

  constructor(entries: ReadonlyMap<string, StoredValue>) {
    this.#stored = entries;
  }

  /** All of it, with every string of the vocabulary; {@link value} asks for one. */
  get entries(): ReadonlyMap<string, MetadataValue> {
    return (this.#entries ??= new Map(
      Array.from(this.#stored, ([key, value]) => [key, value instanceof StringList ? [...value] : value]),
    ));
  }

  value(key: string): MetadataValue | undefined {
    const value = this.#stored.get(key);
    return value instanceof StringList ? [...value] : value;
  }

  /** `general.architecture`. @throws {RivuletError} `METADATA_MISSING` */
  get architecture(): string {
    return this.string('general.architecture');
  }

  /** The same without long arrays: what an open model keeps once its vocabulary has been read. */
  withoutArrays(): Metadata {
    const kept = Array.from(this.#stored).filter(
      ([, value]) => typeof value !== 'object' || value.length <= longestKeptArray,
    );
    return new Metadata(new Map(kept));
  }

  has(key: string): boolean {
    return this.#stored.has(key);
  }

  /** @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  number(key: string): number {
    return this.#required(key, this.optionalNumber(key));
  }

  optionalNumber(key: string): number | undefined {
    const value = this.#stored.get(key);
    if (value === undefined || typeof value === 'number') return value;
    if (typeof value === 'bigint') return Number(value);
    throw wrongType(key, 'a number', value);
  }

  /** @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  string(key: string): string {
    return this.#required(key, this.optionalString(key));
  }

  optionalString(key: string): string | undefined {
    const value = this.#stored.get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw wrongType(key, 'a string', value);
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.#stored.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw wrongType(key, 'a boolean', value);
  }

  /** @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  strings(key: string): readonly string[] {
    return this.#required(key, this.optionalStrings(key));
  }

  optionalStrings(key: string): readonly string[] | undefined {
    const value = this.#stored.get(key);
    if (value === undefined) return undefined;
    if (value instanceof StringList) return [...value];
    if (isStrings(value)) return value;
    throw wrongType(key, 'an array of strings', value);
  }

  /** The same, packed. @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  stringList(key: string): StringList {
    return this.#required(key, this.optionalStringList(key));
  }

  optionalStringList(key: string): StringList | undefined {
    const value = this.#stored.get(key);
    if (value === undefined || value instanceof StringList) return value;
    if (isStrings(value)) return StringList.from(value);
    throw wrongType(key, 'an array of strings', value);
  }

  /** @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  numbers(key: string): ArrayLike<number> {
    return this.#required(key, this.optionalNumbers(key));
  }

  optionalNumbers(key: string): ArrayLike<number> | undefined {
    const value = this.#stored.get(key);
    if (value === undefined) return undefined;
    if (value instanceof BigUint64Array || value instanceof BigInt64Array) return Array.from(value, Number);
    if (ArrayBuffer.isView(value)) return value as ArrayLike<number> & ArrayBufferView;
    if (Array.isArray(value) && value.length === 0) return [];
    throw wrongType(key, 'an array of numbers', value);
  }

  /** A value that files write either once or once per layer: a number becomes `count` equal entries. */
  optionalPerLayer(key: string, count: number): readonly number[] | undefined {
    const value = this.#stored.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' || typeof value === 'bigint') {
      return Array.from({ length: count }, () => Number(value));
    }
    const list = Array.from(this.optionalNumbers(key) ?? []);
    if (list.length < count) throw wrongType(key, `a number or ${count} numbers`, value);
    return list.slice(0, count);
  }

  #required<T>(key: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw new RivuletError(
      'METADATA_MISSING',
      `Expected the metadata key "${key}", but the file does not have it. It may have been converted by an outdated or partial converter; convert or download it again.`,
      { details: { key } },
    );
  }
}

function isStrings(value: MetadataValue): value is readonly string[] {
  return Array.isArray(value) && (value.length === 0 || typeof value[0] === 'string');
}

function wrongType(key: string, expected: string, value: StoredValue): RivuletError {
  const found = ArrayBuffer.isView(value)
    ? value.constructor.name
    : Array.isArray(value) || value instanceof StringList
      ? `an array of ${value.length} entries`
      : typeof value;
  return new RivuletError(
    'METADATA_WRONG_TYPE',
    `Expected the metadata key "${key}" to be ${expected}, found ${found}. The file does not follow the GGUF conventions; convert or download it again.`,
    { details: { key } },
  );
}
