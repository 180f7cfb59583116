import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { tensorTypeByName, tensorTypes } from '../../src/gguf/tensor-type.ts';
import { writeGguf } from '../support/write-gguf.ts';
import { writtenValue as value } from './written-value.ts';

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
