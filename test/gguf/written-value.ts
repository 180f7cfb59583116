import fc from 'fast-check';
import type { WritableValue } from '../../src/gguf/writable-value.ts';

const finite = fc.double({ noNaN: true });
const text = fc.string({ unit: 'binary', maxLength: 40 });
const integers = {
  u8: fc.integer({ min: 0, max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  u16: fc.integer({ min: 0, max: 65_535 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
} as const;
const arrayClasses = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
} as const;
const integerTypes = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32'] as const;

/** What is written, and what must be read. */
type Case = { readonly written: WritableValue; readonly read: unknown };

/** Metadata values of every type, as they are written and as they must be read. */
export const writtenValue: fc.Arbitrary<Case> = fc.oneof(
  fc
    .constantFrom(...integerTypes)
    .chain((type) =>
      integers[type].map((number): Case => ({ written: { type, value: number }, read: number })),
    ),
  fc.constantFrom(...integerTypes).chain((items) =>
    fc.array(integers[items]).map((numbers): Case => ({
      written: { type: 'array', items, value: numbers },
      read: arrayClasses[items].from(numbers),
    })),
  ),
  finite.map((number): Case => ({ written: { type: 'f64', value: number }, read: number })),
  finite.map((number): Case => ({ written: { type: 'f32', value: number }, read: Math.fround(number) })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number): Case => ({
    written: { type: 'u64', value: number },
    read: number < 2n ** 53n ? Number(number) : number,
  })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number): Case => ({
    written: { type: 'i64', value: number },
    read: Number.isSafeInteger(Number(number)) ? Number(number) : number,
  })),
  fc.boolean().map((flag): Case => ({ written: { type: 'bool', value: flag }, read: flag })),
  text.map((string): Case => ({ written: { type: 'string', value: string }, read: string })),
  fc
    .array(text)
    .map((strings): Case => ({ written: { type: 'array', items: 'string', value: strings }, read: strings })),
);
