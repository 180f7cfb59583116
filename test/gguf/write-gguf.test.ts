import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { tensorTypeByName, tensorTypes } from '../../src/gguf/tensor-type.ts';
import type { WritableValue } from '../../src/gguf/writable-value.ts';
import { tensorBytes, type WritableGguf, type WritableTensor, writeGguf } from '../../src/gguf/write-gguf.ts';
import { writeGguf as writeForTests } from '../support/write-gguf.ts';
import { writtenValue } from './written-value.ts';

async function written(file: WritableGguf): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  const length = await writeGguf({ write: async (chunk) => void chunks.push(chunk.slice()) }, file);
  const bytes = new Uint8Array(Buffer.concat(chunks));
  expect(bytes).toHaveLength(length);
  return bytes;
}

function tensorOf(name: string, type: WritableTensor['type'], shape: readonly number[]): WritableTensor {
  const bytes = Uint8Array.from(
    { length: tensorBytes({ type, shape }) },
    (_, index) => (index * 7 + name.length) & 255,
  );
  return {
    name,
    type,
    shape,
    async *chunks() {
      // Pieces that end anywhere.
      for (let at = 0; at < bytes.length; at += 41) yield bytes.subarray(at, at + 41);
    },
  };
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
}

const tensor = fc
  .record({
    name: fc.string({ maxLength: 30 }),
    type: fc.constantFrom(...tensorTypes.map(({ name }) => name)),
    blocks: fc.integer({ min: 1, max: 3 }),
    rows: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
  })
  .map(({ name, type, blocks, rows }) =>
    tensorOf(name, type, [blocks * tensorTypeByName(type).blockElements, ...rows]),
  );

test('what was written is read again, and is what the independent writer writes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(fc.string({ maxLength: 20 }), writtenValue), {
        selector: ([key]) => key,
        maxLength: 12,
      }),
      fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 }),
      async (entries, tensors) => {
        fc.pre(entries.every(([key]) => key !== 'general.alignment'));
        const metadata = new Map(entries.map(([key, value]) => [key, value.written]));
        const bytes = await written({ metadata, tensors });
        const found = parseGgufHeader(bytes, { name: 'written', fileBytes: bytes.length });
        expect(Array.from(found.metadata.entries)).toEqual(entries.map(([key, value]) => [key, value.read]));
        expect(found.tensors.map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(
          tensors.map(({ name, type, shape }) => ({ name, type, shape })),
        );
        const contents = await Promise.all(tensors.map((each) => joined(each.chunks())));
        found.tensors.forEach(({ offset, byteLength }, index) => {
          expect(Buffer.from(bytes.subarray(offset, offset + byteLength))).toEqual(contents[index]);
        });
        const other = writeForTests({
          metadata: Array.from(metadata),
          tensors: tensors.map((each, index) => ({ ...each, bytes: contents[index] ?? Buffer.of() })),
        });
        expect(Buffer.from(bytes.subarray(0, other.length))).toEqual(Buffer.from(other));
      },
    ),
  );
});

const small = tensorOf('a', 'F32', [2]);

test.each<[string, Partial<WritableGguf>]>([
  ['a row that is no whole number of blocks', { tensors: [{ ...small, type: 'Q8_0', shape: [31] }] }],
  ['five dimensions', { tensors: [{ ...small, shape: [1, 1, 1, 1, 2] }] }],
  ['an empty dimension', { tensors: [{ ...small, shape: [0] }] }],
  ['a half element', { tensors: [{ ...small, shape: [1.5] }] }],
  ['the same name twice', { tensors: [small, small] }],
  ['a name without end', { tensors: [{ ...small, name: 'x'.repeat(5000) }] }],
  ['a key without end', { metadata: new Map([['k'.repeat(70_000), { type: 'u8', value: 1 }]]) }],
  ['an alignment', { metadata: new Map([['general.alignment', { type: 'u32', value: 64 }]]) }],
  ['fewer bytes than the shape says', { tensors: [{ ...small, shape: [3] }] }],
  ['more bytes than the shape says', { tensors: [{ ...small, shape: [1] }] }],
])('%s is a typed error', async (_, part) => {
  const file = { metadata: new Map<string, WritableValue>(), tensors: [], ...part };
  await expect(written(file)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
