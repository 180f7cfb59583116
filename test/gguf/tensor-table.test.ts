import { expect, test } from 'vitest';
import { readGguf } from '../../src/gguf/read-gguf.ts';
import { BytesSource } from '../support/bytes-source.ts';
import { sampleFile } from './sample-file.ts';

test('tensors by name and in file order', async () => {
  const { tensors } = await readGguf(new BytesSource('sample.gguf', sampleFile()));
  expect(tensors.size).toBe(2);
  expect(tensors.has('token_embd.weight')).toBe(true);
  expect(tensors.get('absent')).toBeUndefined();
  expect(tensors.require('output_norm.weight').type).toBe('F32');
  expect(Array.from(tensors, ({ name }) => name)).toEqual(['token_embd.weight', 'output_norm.weight']);
  expect(() => tensors.require('absent')).toThrow(
    expect.objectContaining({
      code: 'TENSOR_MISSING',
      message: expect.stringContaining('"absent"') as unknown,
    }),
  );
});
