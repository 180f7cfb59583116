import { headerLimits } from './header-limits.ts';
import type { HeaderReader } from './header-reader.ts';
import type { MetadataArray, StoredValue } from './metadata.ts';
import { quoted } from './quoted.ts';
import { readStringList, readStrings } from './read-strings.ts';

type NumberArray = Exclude<MetadataArray, readonly string[] | readonly MetadataArray[]>;

/** How values of one GGUF value type are read. */
interface ValueType {
  readonly name: string;
  readonly bytes: number;
  readonly read: (reader: HeaderReader, what: string) => number | bigint | boolean;
  readonly array: new (buffer: ArrayBuffer) => NumberArray;
}

/** Indexed by the number in the file. Source: `enum gguf_type`; 8 is a string, 9 an array. */
const numberTypes: ReadonlyMap<number, ValueType> = new Map<number, ValueType>([
  [0, { name: 'u8', bytes: 1, read: (reader, what) => reader.uint8(what), array: Uint8Array }],
  [1, { name: 'i8', bytes: 1, read: (reader, what) => reader.int8(what), array: Int8Array }],
  [2, { name: 'u16', bytes: 2, read: (reader, what) => reader.uint16(what), array: Uint16Array }],
  [3, { name: 'i16', bytes: 2, read: (reader, what) => reader.int16(what), array: Int16Array }],
  [4, { name: 'u32', bytes: 4, read: (reader, what) => reader.uint32(what), array: Uint32Array }],
  [5, { name: 'i32', bytes: 4, read: (reader, what) => reader.int32(what), array: Int32Array }],
  [6, { name: 'f32', bytes: 4, read: (reader, what) => reader.float32(what), array: Float32Array }],
  [7, { name: 'bool', bytes: 1, read: readBoolean, array: Uint8Array }],
  [10, { name: 'u64', bytes: 8, read: (reader, what) => reader.uint64(what), array: BigUint64Array }],
  [11, { name: 'i64', bytes: 8, read: (reader, what) => reader.int64(what), array: BigInt64Array }],
  [12, { name: 'f64', bytes: 8, read: (reader, what) => reader.float64(what), array: Float64Array }],
]);
const booleanType = 7;
const stringType = 8;
const arrayType = 9;

/** Longer lists are vocabularies. */
const mostPlainStrings = 4096;

const platformIsLittleEndian: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reads the value of `key` with the value type in front of it. Source: `gguf_init_from_file`. */
export function readValue(reader: HeaderReader, key: string): StoredValue {
  const what = `the value of ${quoted(key)}`;
  const type = reader.uint32(what);
  if (type === stringType) return reader.string(what);
  if (type === arrayType) return readOuterArray(reader, what);
  const numberType = numberTypes.get(type);
  if (numberType === undefined) throw unknownType(reader, what, type);
  return numberType.read(reader, what);
}

function readOuterArray(reader: HeaderReader, what: string): StoredValue {
  const { type, count } = readArrayStart(reader, what);
  return type === stringType && count > mostPlainStrings
    ? readStringList(reader, count, what)
    : readElements(reader, what, type, count, 1);
}

function readInnerArray(reader: HeaderReader, what: string, depth: number): MetadataArray {
  if (depth > headerLimits.arrayDepth) {
    throw reader.limit(what, depth, headerLimits.arrayDepth, 'nested arrays');
  }
  const { type, count } = readArrayStart(reader, what);
  return readElements(reader, what, type, count, depth);
}

function readArrayStart(
  reader: HeaderReader,
  what: string,
): { readonly type: number; readonly count: number } {
  reader.countArray();
  const type = reader.uint32(what);
  // No element is smaller than a byte, so the limit of the header bounds the count as well.
  return { type, count: reader.length(what, headerLimits.headerBytes, 'elements') };
}

function readElements(
  reader: HeaderReader,
  what: string,
  type: number,
  count: number,
  depth: number,
): MetadataArray {
  if (type === stringType) return readStrings(reader, count, what);
  if (type === arrayType) {
    reader.need(count * (reader.wideLengths ? 12 : 8), what);
    const arrays: MetadataArray[] = [];
    for (let index = 0; index < count; index++) arrays.push(readInnerArray(reader, what, depth + 1));
    return arrays;
  }
  const numberType = numberTypes.get(type);
  if (numberType === undefined) throw unknownType(reader, what, type);
  return readNumbers(reader, what, numberType, type, count);
}

function readNumbers(
  reader: HeaderReader,
  what: string,
  numberType: ValueType,
  type: number,
  count: number,
): NumberArray {
  const byteLength = count * numberType.bytes;
  reader.need(byteLength, what);
  // A copy, because values are not aligned in the file and must not keep the whole header alive.
  const copy = new Uint8Array(byteLength);
  copy.set(reader.bytes.subarray(reader.offset, reader.offset + byteLength));
  if (type === booleanType) {
    const wrong = copy.findIndex((value) => value > 1);
    if (wrong >= 0) throw notBoolean(reader, what, copy[wrong] ?? 0, reader.offset + wrong);
  }
  reader.offset += byteLength;
  if (reader.littleEndian !== platformIsLittleEndian && numberType.bytes > 1) {
    for (let at = 0; at < byteLength; at += numberType.bytes)
      copy.subarray(at, at + numberType.bytes).reverse();
  }
  return new numberType.array(copy.buffer);
}

function readBoolean(reader: HeaderReader, what: string): boolean {
  const value = reader.uint8(what);
  if (value > 1) throw notBoolean(reader, what, value, reader.offset - 1);
  return value === 1;
}

function notBoolean(reader: HeaderReader, what: string, value: number, offset: number): Error {
  return reader.invalid(`Expected ${what} to be a boolean of 0 or 1, found ${value} at byte ${offset}.`);
}

function unknownType(reader: HeaderReader, what: string, type: number): Error {
  return reader.invalid(
    `Expected ${what} to have a value type from 0 to 12, found ${type} at byte ${reader.offset}.`,
    { valueType: type },
  );
}
