import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { tensorTypeByName, tensorTypes } from '../../src/gguf/tensor-type.ts';
import { writeGguf } from '../support/write-gguf.ts';
import type { WritableValue } from '../support/write-gguf.ts';

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

const value: fc.Arbitrary<Case> = fc.oneof(
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

const tensor = fc.record({
  name: fc.string({ maxLength: 30 }),
  type: fc.constantFrom(...tensorTypes.map(({ name }) => name)),
  blocks: fc.integer({ min: 1, max: 3 }),
  rows: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
});

test('what was written is read again', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string({ maxLength: 20 }), value), {
        selector: ([key]) => key,
        maxLength: 12,
      }),
      fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 }),
      fc.constantFrom(1, 2, 3),
      fc.boolean(),
      fc.constantFrom(undefined, 1, 8, 64, 4096),
      (entries, tensors, version, littleEndian, alignment) => {
        fc.pre(entries.every(([key]) => key !== 'general.alignment'));
        const written = tensors.map(({ name, type, blocks, rows }) => {
          const layout = tensorTypeByName(type);
          const count = rows.reduce((product, length) => product * length, blocks);
          return {
            name,
            type,
            shape: [blocks * layout.blockElements, ...rows],
            bytes: new Uint8Array(count * layout.blockBytes),
          };
        });
        const file = writeGguf({
          version,
          littleEndian,
          metadata: entries.map(([key, { written: typed }]) => [key, typed] as const),
          tensors: written,
          ...(alignment === undefined ? {} : { alignment }),
        });
        const header = parseGgufHeader(file, { name: 'property.gguf', fileBytes: file.length });
        expect(header).toMatchObject({ version, littleEndian });
        for (const [key, { read }] of entries) expect(header.metadata.entries.get(key)).toEqual(read);
        expect(
          header.tensors.map(({ name, type, shape, byteLength }) => [name, type, shape, byteLength]),
        ).toEqual(written.map(({ name, type, shape, bytes }) => [name, type, shape, bytes.length]));
        for (const { offset, byteLength } of header.tensors) {
          expect(offset % (alignment ?? 32)).toBe(0);
          expect(offset + byteLength).toBeLessThanOrEqual(file.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('strings of any bytes are read like a decoder reads each of them', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 50 }), (strings) => {
      const file = writeGguf({
        metadata: { strings: { type: 'array', items: 'string', value: strings } },
        tensors: [],
      });
      const { metadata } = parseGgufHeader(file, { name: 'property.gguf' });
      expect(metadata.strings('strings')).toEqual(strings.map((bytes) => decoder.decode(bytes)));
    }),
    { numRuns: 500 },
  );
});
