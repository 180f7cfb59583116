import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { tensorTypeByName, tensorTypes } from '../../src/gguf/tensor-type.ts';
import { canDequantize, dequantize } from '../../src/quant/dequantize.ts';
import { differentBits, readQuantCases } from '../support/quant-cases.ts';

const cases = readQuantCases(fileURLToPath(new URL('../conformance/quants', import.meta.url)));

test('the trimmed data has random blocks of every quantized type and float', () => {
  const plain = new Set(['F64', 'I8', 'I16', 'I32', 'I64']);
  const readable = tensorTypes.map(({ name }) => name).filter(canDequantize);
  const found = cases.filter(({ kind }) => kind === 'random').map(({ type }) => type);
  expect(found.toSorted()).toEqual(readable.filter((name) => !plain.has(name)).toSorted());
  expect(cases.filter(({ kind }) => kind === 'quantized')).toHaveLength(22);
});

test.each(cases)('$type $kind is the reference bit by bit', ({ type, bytes, rows, columns, values }) => {
  expect(differentBits(dequantize(type, bytes, rows * columns), values)).toBe(0);
});

test('half precision in all its bit patterns', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
  const values = dequantize('F16', new Uint8Array(bits.buffer), bits.length);
  expect(values[0x0001]).toBe(2 ** -24);
  expect(values[0x03ff]).toBe(1023 * 2 ** -24);
  expect(values[0x0400]).toBe(2 ** -14);
  expect(values[0x3c00]).toBe(1);
  expect(values[0x7bff]).toBe(65_504);
  expect(values[0x7c00]).toBe(Infinity);
  expect(values[0xfc00]).toBe(-Infinity);
  expect(values[0x7c01]).toBeNaN();
  expect(Object.is(values[0x8000], -0)).toBe(true);
  for (let index = 0x0001; index <= 0x7c00; index++) {
    if (!((values[index] ?? 0) > (values[index - 1] ?? 0))) throw new Error(`Not increasing at ${index}.`);
    if (values[index + 0x8000] !== -(values[index] ?? 0)) throw new Error(`Not symmetric at ${index}.`);
  }
});

test('integers and doubles become floats', () => {
  const bytesOf = (array: ArrayBufferView<ArrayBuffer>): Uint8Array => new Uint8Array(array.buffer);
  expect(dequantize('I8', bytesOf(Int8Array.of(-128, 127)), 2)).toEqual(Float32Array.of(-128, 127));
  expect(dequantize('I16', bytesOf(Int16Array.of(-300, 300)), 2)).toEqual(Float32Array.of(-300, 300));
  expect(dequantize('I32', bytesOf(Int32Array.of(-(2 ** 31), 7)), 2)).toEqual(Float32Array.of(-(2 ** 31), 7));
  expect(dequantize('I64', bytesOf(BigInt64Array.of(-5n, 2n ** 40n)), 2)).toEqual(
    Float32Array.of(-5, 2 ** 40),
  );
  expect(dequantize('F64', bytesOf(Float64Array.of(Math.PI, -0.5)), 2)).toEqual(
    Float32Array.of(Math.PI, -0.5),
  );
});

test('bytes at any address, of any number of blocks', () => {
  for (const { name, blockBytes, blockElements } of tensorTypes.filter((info) => canDequantize(info.name))) {
    for (const blocks of [0, 1, 2, 17, 4096 / blockElements + 1]) {
      const aligned = Uint8Array.from({ length: blocks * blockBytes }, (_, index) => (index * 37) & 0x3b);
      const shifted = new Uint8Array(aligned.length + 3).subarray(3);
      shifted.set(aligned);
      const whole = dequantize(name, aligned, blocks * blockElements);
      expect(differentBits(dequantize(name, shifted, blocks * blockElements), whole), name).toBe(0);
      const parts = Array.from({ length: blocks }, (_, block) =>
        dequantize(name, aligned.subarray(block * blockBytes, (block + 1) * blockBytes), blockElements),
      );
      const joined = Float32Array.from(parts.flatMap((part) => Array.from(part)));
      expect(differentBits(joined, whole), name).toBe(0);
    }
  }
});

test('any bytes give the given number of values', () => {
  const readable = tensorTypes.filter(({ name }) => canDequantize(name));
  fc.assert(
    fc.property(
      fc.constantFrom(...readable),
      fc.integer({ min: 0, max: 3 }),
      fc.infiniteStream(fc.nat(255)),
      (info, blocks, stream) => {
        const bytes = Uint8Array.from(stream.take(blocks * info.blockBytes));
        expect(dequantize(info.name, bytes, blocks * info.blockElements)).toHaveLength(
          blocks * info.blockElements,
        );
      },
    ),
  );
});

describe('refused', () => {
  test('Q8_1, the one type that cannot be read', () => {
    const unreadable = tensorTypes.map(({ name }) => name).filter((name) => !canDequantize(name));
    expect(unreadable).toEqual(['Q8_1']);
    const { blockBytes, blockElements } = tensorTypeByName('Q8_1');
    expect(() => dequantize('Q8_1', new Uint8Array(blockBytes), blockElements)).toThrow(
      expect.objectContaining({
        code: 'TENSOR_TYPE_UNSUPPORTED',
        message: expect.stringContaining('found Q8_1') as unknown,
      }),
    );
  });

  test.each([
    ['Q4_0', 17, 32],
    ['Q4_0', 18, 31],
    ['Q4_0', 18, 64],
    ['Q4_0', 9, 16],
    ['F32', 4, 2],
    ['F32', 4, -1],
    ['F32', 6, 1.5],
    ['Q6_K', 210, Number.NaN],
  ] as const)('%s in %i bytes as %d elements', (type, byteLength, elementCount) => {
    expect(() => dequantize(type, new Uint8Array(byteLength), elementCount)).toThrow(
      expect.toSatisfy((error) => error instanceof RivuletError && error.code === 'INVALID_ARGUMENT'),
    );
  });
});
