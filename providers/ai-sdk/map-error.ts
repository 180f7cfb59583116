import { InvalidArgumentError, NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { RivuletError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';

/** Codes that mean: there is no model under this name. */
const missingModel: ReadonlySet<ErrorCode> = new Set([
  'REFERENCE_INVALID',
  'SOURCE_NOT_FOUND',
  'SOURCE_NOT_A_FILE',
]);

/** Codes that mean: a schema or grammar of the request cannot be used. */
const badGrammar: ReadonlySet<ErrorCode> = new Set([
  'SCHEMA_INVALID',
  'GRAMMAR_INVALID',
  'GRAMMAR_TOO_LARGE',
]);

/** Options that the AI SDK calls something else. */
const argumentNames: ReadonlyMap<string, string> = new Map([
  ['maxTokens', 'maxOutputTokens'],
  ['stop', 'stopSequences'],
]);

/**
 * The AI SDK's own error where it has one for the case, with ours as its cause; everything else, abort
 * reasons above all, stays as it is.
 */
export function mapError(
  error: unknown,
  modelId: string,
  modelType: NoSuchModelError['modelType'] = 'languageModel',
): unknown {
  if (!RivuletError.isInstance(error)) return error;
  const { code, message } = error;
  if (missingModel.has(code)) {
    return withCause(new NoSuchModelError({ modelId, modelType, message }), error);
  }
  const { option } = error.details;
  if (code === 'INVALID_ARGUMENT' || badGrammar.has(code)) {
    return new InvalidArgumentError({
      argument: typeof option === 'string' ? (argumentNames.get(option) ?? option) : unnamedArgument(code),
      message,
      cause: error,
    });
  }
  if (code === 'UNSUPPORTED') {
    return withCause(new UnsupportedFunctionalityError({ functionality: 'request', message }), error);
  }
  return error;
}

/** The argument that an error is about when it names no option. */
function unnamedArgument(code: ErrorCode): string {
  // Other notations than schemas stand among our own options.
  if (code === 'GRAMMAR_INVALID') return 'providerOptions';
  return badGrammar.has(code) ? 'responseFormat' : 'options';
}

/** These classes take no cause in their constructor. */
function withCause<E extends Error>(error: E, cause: unknown): E {
  return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
}
