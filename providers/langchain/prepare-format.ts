import type { JSONSchema } from '../../src/chat/messages.ts';
import { RivuletError } from '../../src/errors.ts';
import type { ChatRequest } from '../../src/model.ts';

/** The forms that agents and users of other providers write. */
export type ResponseFormatInput =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        readonly name?: string;
        readonly description?: string;
        readonly schema: Readonly<Record<string, unknown>> | boolean;
        readonly strict?: boolean | null;
      };
    };

/** @throws {RivuletError} `INVALID_ARGUMENT` for another form */
export function prepareFormat(format: unknown): Pick<ChatRequest, 'responseFormat'> {
  if (format === undefined || format === null) return {};
  const { type, json_schema: described } = (typeof format === 'object' ? format : {}) as {
    readonly type?: unknown;
    readonly json_schema?: { readonly schema?: unknown };
  };
  if (type === 'text') return {};
  if (type === 'json_object') return { responseFormat: { type: 'json' } };
  const schema = described?.schema;
  if (type === 'json_schema' && isSchema(schema)) return { responseFormat: { type: 'json', schema } };
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected response_format to be { type: "text" }, { type: "json_object" } or { type: "json_schema", json_schema: { schema } } with a JSON schema, got ${JSON.stringify(format)}.`,
    { details: { option: 'response_format' } },
  );
}

function isSchema(value: unknown): value is JSONSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}
