import { expect, test } from 'vitest';
import {
  describeUnknownTensorType,
  tensorTypeById,
  tensorTypeByName,
  tensorTypes,
} from '../../src/gguf/tensor-type.ts';

test('numbers and names belong together', () => {
  expect(tensorTypes).toHaveLength(35);
  for (const info of tensorTypes) {
    expect(tensorTypeById(info.id)).toBe(info);
    expect(tensorTypeByName(info.name)).toBe(info);
  }
  expect(tensorTypeByName('Q4_K')).toEqual({ id: 12, name: 'Q4_K', blockElements: 256, blockBytes: 144 });
  expect(tensorTypeByName('Q9_Z')).toBeUndefined();
  expect(tensorTypeByName('constructor')).toBeUndefined();
});

test.each([
  [4, '4 (Q4_2, removed from ggml)'],
  [38, '38 (IQ4_NL_8_8, removed from ggml)'],
  [144, '144 (a type that only ik_llama.cpp writes)'],
  [99, '99'],
])('type %i', (id, description) => {
  expect(tensorTypeById(id)).toBeUndefined();
  expect(describeUnknownTensorType(id)).toBe(description);
});
