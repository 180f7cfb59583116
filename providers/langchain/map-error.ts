import { ContextOverflowError, ModelAbortError, stampRetryable } from '@langchain/core/errors';
import { RivuletError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Answer } from './answer.ts';

/** Failures that another attempt may not meet; all others fail the same way again. */
const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  'BUSY',
  'DOWNLOAD_FAILED',
  'DOWNLOAD_INTERRUPTED',
  'PARKED_TOO_LONG',
  'WORKER_FAILED',
]);

/**
 * LangChain's own error where it has one for the case. An abort during the answer becomes
 * `ModelAbortError` with what was said so far, an earlier one stays the signal's reason.
 */
export function mapError(error: unknown, answer: Answer, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) {
    if (!answer.started) return error;
    const aborted = new ModelAbortError('The generation was aborted.', answer.toPartialMessage());
    aborted.cause = signal.reason;
    return aborted;
  }
  return mapFailure(error);
}

/** The same for what has no partial answer; aborts are the caller's affair. */
export function mapFailure(error: unknown): unknown {
  if (!RivuletError.isInstance(error)) return error;
  if (error.code === 'CONTEXT_OVERFLOW') return ContextOverflowError.fromError(error);
  return stampRetryable(error, retryableCodes.has(error.code));
}
