import { InvalidArgumentError, NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { expect, test } from 'vitest';
import { mapError } from '../../../providers/ai-sdk/map-error.ts';
import { RivuletError } from '../../../src/errors.ts';

test.each(['SOURCE_NOT_FOUND', 'SOURCE_NOT_A_FILE', 'REFERENCE_INVALID'] as const)('%s', (code) => {
  const cause = new RivuletError(code, 'Expected a file.');
  const error = mapError(cause, 'x.gguf');
  expect(NoSuchModelError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ modelId: 'x.gguf', message: 'Expected a file.', cause });
});

test('a wrong option has the name that the AI SDK gives it', () => {
  const cause = new RivuletError('INVALID_ARGUMENT', 'Expected a number.', {
    details: { option: 'maxTokens' },
  });
  const error = mapError(cause, 'x.gguf');
  expect(InvalidArgumentError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ argument: 'maxOutputTokens', cause });
});

test.each([
  ['SCHEMA_INVALID', {}, 'responseFormat'],
  ['SCHEMA_INVALID', { option: 'tools' }, 'tools'],
  ['GRAMMAR_INVALID', {}, 'providerOptions'],
  ['INVALID_ARGUMENT', { option: 'toolChoice' }, 'toolChoice'],
  ['INVALID_ARGUMENT', {}, 'options'],
] as const)('%s with the details %j is about %s', (code, details, argument) => {
  expect(mapError(new RivuletError(code, 'Expected.', { details }), 'x.gguf')).toMatchObject({ argument });
});

test('UNSUPPORTED', () => {
  const error = mapError(new RivuletError('UNSUPPORTED', 'No images yet.'), 'x.gguf');
  expect(UnsupportedFunctionalityError.isInstance(error)).toBe(true);
});

test('everything else stays as it is', () => {
  for (const error of [new RivuletError('CONTEXT_OVERFLOW', 'Too long.'), new Error('other'), 'a string']) {
    expect(mapError(error, 'x.gguf')).toBe(error);
  }
});
