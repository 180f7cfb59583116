/** The closed set of things that can go wrong; a caller may switch over it. */
export type ErrorCode =
  // source
  | 'REFERENCE_INVALID'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_NOT_A_FILE'
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_TRUNCATED'
  | 'DOWNLOAD_FAILED'
  | 'DOWNLOAD_INTERRUPTED'
  | 'CHECKSUM_MISMATCH'
  | 'TOOL_MISSING'
  | 'CACHE_UNWRITABLE'
  | 'DISK_FULL'
  // gguf
  | 'GGUF_EMPTY'
  | 'GGUF_BAD_MAGIC'
  | 'GGUF_VERSION_UNSUPPORTED'
  | 'GGUF_TRUNCATED'
  | 'GGUF_INVALID'
  | 'GGUF_LIMIT_EXCEEDED'
  | 'GGUF_SHARD_MISSING'
  | 'METADATA_MISSING'
  | 'METADATA_WRONG_TYPE'
  // model
  | 'ARCHITECTURE_UNSUPPORTED'
  | 'TENSOR_MISSING'
  | 'TENSOR_SHAPE_MISMATCH'
  | 'TENSOR_TYPE_UNSUPPORTED'
  | 'TOKENIZER_UNSUPPORTED'
  | 'TOKENIZER_INVALID'
  | 'TEMPLATE_FAILED'
  | 'TEMPLATE_LIMIT_EXCEEDED'
  // grammar
  | 'GRAMMAR_INVALID'
  | 'GRAMMAR_TOO_LARGE'
  | 'GRAMMAR_STUCK'
  | 'SCHEMA_INVALID'
  // engine
  | 'CONTEXT_OVERFLOW'
  | 'WEIGHTS_NOT_FINITE'
  | 'ENGINE_FAILED'
  | 'ENGINE_UNAVAILABLE'
  | 'OUT_OF_MEMORY'
  | 'BUSY'
  | 'PARKED_TOO_LONG'
  | 'DISPOSED'
  | 'WORKER_FAILED'
  // caller
  | 'INVALID_ARGUMENT'
  | 'UNSUPPORTED';

const marker: unique symbol = Symbol.for('rivulet.error') as never;

/** Numbers and names that belong to an error, for callers that act on them. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface RivuletErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
}

/** Every failure of rivulet. The message says what was expected, what was found and what to do. */
export class RivuletError extends Error {
  override readonly name: string = 'RivuletError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: RivuletErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, marker, { value: true });
  }

  /** Also true for errors of another copy of the package in the same process. */
  static isInstance(value: unknown): value is RivuletError {
    return typeof value === 'object' && value !== null && marker in value;
  }
}

/** An error in a form that survives structured cloning, see {@link errorToPlain}. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: ErrorCode;
  readonly details?: ErrorDetails;
  readonly cause?: PlainError;
}

/** A crafted or accidental cycle of causes must not hang the border. */
const maximumCauseDepth = 8;

/** Turns any thrown value into data that a `MessagePort` carries without losing code, details or causes. */
export function errorToPlain(value: unknown, depth = 0): PlainError {
  if (!(value instanceof Error)) return { name: 'Error', message: String(value) };
  return {
    name: value.name,
    message: value.message,
    ...(value.stack === undefined ? {} : { stack: value.stack }),
    ...(RivuletError.isInstance(value) ? { code: value.code, details: value.details } : {}),
    ...(value.cause === undefined || depth >= maximumCauseDepth
      ? {}
      : { cause: errorToPlain(value.cause, depth + 1) }),
  };
}

/** The inverse of {@link errorToPlain}. */
export function errorFromPlain(plain: PlainError): Error {
  const cause = plain.cause === undefined ? undefined : errorFromPlain(plain.cause);
  const error =
    plain.code === undefined
      ? new Error(plain.message, { cause })
      : new RivuletError(plain.code, plain.message, {
          cause,
          ...(plain.details === undefined ? {} : { details: plain.details }),
        });
  if (plain.code === undefined)
    Object.defineProperty(error, 'name', { value: plain.name, configurable: true });
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
