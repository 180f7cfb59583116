import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/convert/safetensors.ts';
import { RivuletError } from '../../src/errors.ts';
import { BytesSource } from '../support/bytes-source.ts';
import { makeSafetensors, safetensorsOf } from './make-safetensors.ts';

const eight = new Uint8Array(8);

function read(bytes: Uint8Array): ReturnType<typeof readSafetensors> {
  return readSafetensors(new BytesSource('m.safetensors', bytes));
}

test('names, types, shapes and places', async () => {
  const file = makeSafetensors({
    a: { dtype: 'F32', shape: [2, 1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    flags: { dtype: 'BOOL', shape: [3], bytes: Uint8Array.of(1, 0, 1) },
    '__proto__ and "more"': { dtype: 'BF16', shape: [], bytes: Uint8Array.of(9, 10) },
    nothing: { dtype: 'F16', shape: [0, 7], bytes: new Uint8Array(0) },
  });
  const tensors = await read(file);
  expect(tensors.map(({ name, type, shape, elementCount }) => [name, type, shape, elementCount])).toEqual([
    ['a', 'F32', [2, 1], 2],
    ['__proto__ and "more"', 'BF16', [], 1],
    ['nothing', 'F16', [0, 7], 0],
  ]);
  const [a, scalar] = tensors;
  expect(await a?.source.read(a.offset, a.byteLength)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(await scalar?.source.read(scalar.offset, scalar.byteLength)).toEqual(Uint8Array.of(9, 10));
});

const tensor = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

describe('a damaged file is a typed error', () => {
  test.each<[string, string | Uint8Array]>([
    ['no length', new Uint8Array(7)],
    ['a length beyond the end', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d)],
    ['a length beyond everything', new Uint8Array(20).fill(255)],
    ['no JSON', '{"a":'],
    ['a list', '[]'],
    ['a number', '1'],
    ['no tensor under a name', '{"a":null}'],
    ['a tensor that is a list', '{"a":[]}'],
    ['a shape that is no list', JSON.stringify({ a: { ...tensor, shape: 2 } })],
    ['a negative dimension', JSON.stringify({ a: { ...tensor, shape: [-2] } })],
    ['a dimension that is no whole number', JSON.stringify({ a: { ...tensor, shape: [0.5, 4] } })],
    ['a dimension without end', '{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}'],
    ['a product without end', JSON.stringify({ a: { ...tensor, shape: [2 ** 52, 2 ** 52, 2 ** 52] } })],
    ['nine dimensions', JSON.stringify({ a: { ...tensor, shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] } })],
    ['no offsets', JSON.stringify({ a: { dtype: 'F32', shape: [2] } })],
    ['one offset', JSON.stringify({ a: { ...tensor, data_offsets: [8] } })],
    ['an end before the begin', JSON.stringify({ a: { ...tensor, data_offsets: [8, 0] } })],
    ['an end beyond the file', JSON.stringify({ a: { ...tensor, data_offsets: [4, 12] } })],
    ['bytes that are not the shape', JSON.stringify({ a: { ...tensor, data_offsets: [0, 7] } })],
    ['two tensors in one place', JSON.stringify({ a: tensor, b: tensor })],
  ])('%s', async (_, content) => {
    const bytes = typeof content === 'string' ? safetensorsOf(content, eight) : content;
    await expect(read(bytes)).rejects.toSatisfy(
      (error) =>
        RivuletError.isInstance(error) && /^(?:SOURCE_UNREADABLE|METADATA_WRONG_TYPE)$/.test(error.code),
    );
  });

  test('a type that has no counterpart says which there are', async () => {
    const file = safetensorsOf(
      JSON.stringify({ a: { dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] } }),
      eight,
    );
    await expect(read(file)).rejects.toMatchObject({
      code: 'TENSOR_TYPE_UNSUPPORTED',
      message: expect.stringMatching(/F32.*BF16.*"F8_E4M3"/) as string,
    });
  });

  test('any changed bytes give tensors inside the file or a typed error', async () => {
    const file = makeSafetensors({
      a: { dtype: 'F32', shape: [2], bytes: eight },
      b: { dtype: 'F16', shape: [2, 2], bytes: eight },
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(file.length),
        async (changes, length) => {
          const bytes = Uint8Array.from(file).subarray(0, length);
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          try {
            for (const { offset, byteLength } of await read(bytes))
              expect(offset + byteLength).toBeLessThanOrEqual(length);
          } catch (error) {
            expect(RivuletError.isInstance(error)).toBe(true);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
