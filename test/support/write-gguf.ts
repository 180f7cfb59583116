import { tensorTypeByName } from '../../src/gguf/tensor-type.ts';
import type { TensorType } from '../../src/gguf/tensor-type.ts';

/** A metadata value with the GGUF value type that it is written as. */
export type WritableValue =
  | {
      readonly type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';
      readonly value: number;
    }
  | { readonly type: 'u64' | 'i64'; readonly value: number | bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string | Uint8Array }
  | {
      readonly type: 'array';
      readonly items: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';
      readonly value: ArrayLike<number>;
    }
  | { readonly type: 'array'; readonly items: 'u64' | 'i64'; readonly value: ArrayLike<number | bigint> }
  | { readonly type: 'array'; readonly items: 'bool'; readonly value: ArrayLike<boolean> }
  | { readonly type: 'array'; readonly items: 'string'; readonly value: ArrayLike<string | Uint8Array> }
  | {
      readonly type: 'array';
      readonly items: 'array';
      readonly value: ArrayLike<Extract<WritableValue, { type: 'array' }>>;
    };

/** Plain values are written as string, bool, u32 or f32, arrays as arrays of these. */
export type PlainValue = string | boolean | number | readonly string[] | readonly number[];

export interface WritableTensor {
  readonly name: string;
  readonly type: TensorType | { readonly id: number };
  /** ggml order: the first dimension is contiguous. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Instead of the next free place in the data section, in bytes from its start. */
  readonly offset?: number | bigint;
}

export interface WriteGgufOptions {
  /** @default 3 */
  readonly version?: number;
  /** @default true */
  readonly littleEndian?: boolean;
  /** An array of pairs may repeat keys. */
  readonly metadata:
    | Readonly<Record<string, WritableValue | PlainValue>>
    | readonly (readonly [string, WritableValue | PlainValue])[];
  readonly tensors: readonly WritableTensor[];
  /** @default 32, without a `general.alignment` key */
  readonly alignment?: number;
}

const valueTypeIds = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** Writes a GGUF file for tests, well-formed or, through the odd options, not. */
export function writeGguf(options: WriteGgufOptions): Uint8Array<ArrayBuffer> {
  const { version = 3, littleEndian = true, alignment = 32, tensors } = options;
  const entries: (readonly [string, WritableValue | PlainValue])[] = isPairs(options.metadata)
    ? [...options.metadata]
    : Object.entries(options.metadata);
  if (options.alignment !== undefined) {
    entries.push(['general.alignment', { type: 'u32', value: options.alignment }]);
  }
  const writer = new ByteWriter(littleEndian, version > 1);
  writer.raw(new TextEncoder().encode('GGUF'));
  writer.number('u32', version);
  writer.length(tensors.length);
  writer.length(entries.length);
  for (const [key, value] of entries) {
    writer.string(key);
    const typed = typedValue(value);
    writer.number('u32', valueTypeIds[typed.type]);
    writeValue(writer, typed);
  }
  let offset = 0;
  const placed = tensors.map((tensor) => {
    const at = tensor.offset ?? offset;
    offset = Math.ceil((Number(at) + tensor.bytes.length) / alignment) * alignment;
    return { tensor, at };
  });
  for (const { tensor, at } of placed) {
    writer.string(tensor.name);
    writer.number('u32', tensor.shape.length);
    for (const length of tensor.shape) writer.length(length);
    const typeId = typeof tensor.type === 'string' ? tensorTypeByName(tensor.type).id : tensor.type.id;
    writer.number('u32', typeId);
    writer.number('u64', at);
  }
  const header = writer.finish();
  const dataOffset = Math.ceil(header.length / alignment) * alignment;
  const end = placed.reduce(
    (last, { tensor, at }) =>
      Math.max(last, (tensor.offset === undefined ? Number(at) : 0) + tensor.bytes.length),
    0,
  );
  const file = new Uint8Array(tensors.length === 0 ? header.length : dataOffset + end);
  file.set(header);
  for (const { tensor, at } of placed) {
    if (tensor.offset === undefined) file.set(tensor.bytes, dataOffset + Number(at));
  }
  return file;
}

function isPairs(
  metadata: WriteGgufOptions['metadata'],
): metadata is readonly (readonly [string, WritableValue | PlainValue])[] {
  return Array.isArray(metadata);
}

function typedValue(value: WritableValue | PlainValue): WritableValue {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'number')
    return { type: Number.isInteger(value) && value >= 0 ? 'u32' : 'f32', value };
  if (!isPlainArray(value)) return value;
  if (value.length === 0 || typeof value[0] === 'string') {
    return { type: 'array', items: 'string', value: value as readonly string[] };
  }
  const numbers = value as readonly number[];
  return { type: 'array', items: numbers.every(Number.isInteger) ? 'i32' : 'f32', value: numbers };
}

function isPlainArray(value: WritableValue | PlainValue): value is readonly string[] | readonly number[] {
  return Array.isArray(value);
}

function writeValue(writer: ByteWriter, value: WritableValue): void {
  switch (value.type) {
    case 'string':
      return writer.string(value.value);
    case 'bool':
      return writer.number('u8', value.value ? 1 : 0);
    case 'array':
      return writeArray(writer, value);
    default:
      return writer.number(value.type, value.value);
  }
}

function writeArray(writer: ByteWriter, array: Extract<WritableValue, { type: 'array' }>): void {
  writer.number('u32', valueTypeIds[array.items]);
  writer.length(array.value.length);
  switch (array.items) {
    case 'array':
      for (const item of Array.from(array.value)) writeArray(writer, item);
      break;
    case 'string':
      for (const item of Array.from(array.value)) writer.string(item);
      break;
    case 'bool':
      for (const item of Array.from(array.value)) writer.number('u8', item ? 1 : 0);
      break;
    default:
      for (const item of Array.from<number | bigint>(array.value)) writer.number(array.items, item);
  }
}

class ByteWriter {
  readonly #littleEndian: boolean;
  readonly #wideLengths: boolean;
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  constructor(littleEndian: boolean, wideLengths: boolean) {
    this.#littleEndian = littleEndian;
    this.#wideLengths = wideLengths;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  length(value: number): void {
    this.number(this.#wideLengths ? 'u64' : 'u32', value);
  }

  string(value: string | Uint8Array): void {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    this.length(bytes.length);
    this.raw(bytes);
  }

  number(
    type: Exclude<keyof typeof valueTypeIds, 'bool' | 'string' | 'array'>,
    value: number | bigint,
  ): void {
    const little = this.#littleEndian;
    switch (type) {
      case 'u8':
      case 'i8':
        return this.#room(1, (view, at) => view.setUint8(at, Number(value)));
      case 'u16':
      case 'i16':
        return this.#room(2, (view, at) => view.setUint16(at, Number(value), little));
      case 'u32':
      case 'i32':
        return this.#room(4, (view, at) => view.setUint32(at, Number(value), little));
      case 'f32':
        return this.#room(4, (view, at) => view.setFloat32(at, Number(value), little));
      case 'f64':
        return this.#room(8, (view, at) => view.setFloat64(at, Number(value), little));
      case 'u64':
      case 'i64':
        return this.#room(8, (view, at) => view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), little));
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  #room(count: number, write: (view: DataView, at: number) => void): void {
    const at = this.#grow(count);
    write(this.#view, at);
  }

  #grow(count: number): number {
    const at = this.#size;
    this.#size += count;
    if (this.#size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#size, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
