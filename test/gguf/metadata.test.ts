import { describe, expect, test } from 'vitest';
import { Metadata } from '../../src/gguf/metadata.ts';
import type { MetadataValue } from '../../src/gguf/metadata.ts';

const metadata = new Metadata(
  new Map<string, MetadataValue>([
    ['general.architecture', 'llama'],
    ['count', 3],
    ['large', 2n ** 60n],
    ['flag', true],
    ['words', ['a', 'b']],
    ['none', []],
    ['numbers', Int32Array.of(1, 2, 3)],
    ['wide', BigUint64Array.of(1n, 2n)],
    ['nested', [Int32Array.of(1)]],
  ]),
);

test('look-ups by type', () => {
  expect(metadata.architecture).toBe('llama');
  expect(metadata.has('count')).toBe(true);
  expect(metadata.number('count')).toBe(3);
  expect(metadata.number('large')).toBe(2 ** 60);
  expect(metadata.optionalBoolean('flag')).toBe(true);
  expect(metadata.strings('words')).toEqual(['a', 'b']);
  expect(metadata.strings('none')).toEqual([]);
  expect(metadata.numbers('numbers')).toEqual(Int32Array.of(1, 2, 3));
  expect(metadata.numbers('wide')).toEqual([1, 2]);
  expect(metadata.numbers('none')).toEqual([]);
  expect(metadata.optionalPerLayer('count', 4)).toEqual([3, 3, 3, 3]);
  expect(metadata.optionalPerLayer('numbers', 2)).toEqual([1, 2]);
});

describe('an absent key', () => {
  test('is undefined where it is optional', () => {
    expect(metadata.has('absent')).toBe(false);
    expect(metadata.optionalNumber('absent')).toBeUndefined();
    expect(metadata.optionalString('absent')).toBeUndefined();
    expect(metadata.optionalBoolean('absent')).toBeUndefined();
    expect(metadata.optionalStrings('absent')).toBeUndefined();
    expect(metadata.optionalNumbers('absent')).toBeUndefined();
    expect(metadata.optionalPerLayer('absent', 2)).toBeUndefined();
  });

  test.each([
    () => metadata.number('absent'),
    () => metadata.string('absent'),
    () => metadata.strings('absent'),
    () => metadata.numbers('absent'),
    () => new Metadata(new Map()).architecture,
  ])('is an error where it is required: %s', (read) => {
    expect(read).toThrow(expect.objectContaining({ code: 'METADATA_MISSING' }));
  });
});

test.each([
  () => metadata.number('words'),
  () => metadata.string('count'),
  () => metadata.optionalBoolean('count'),
  () => metadata.strings('numbers'),
  () => metadata.strings('nested'),
  () => metadata.numbers('words'),
  () => metadata.numbers('nested'),
  () => metadata.optionalPerLayer('numbers', 4),
  () => metadata.optionalPerLayer('flag', 4),
])('another type is an error: %s', (read) => {
  expect(read).toThrow(expect.objectContaining({ code: 'METADATA_WRONG_TYPE' }));
});
