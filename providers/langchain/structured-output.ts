import type { StructuredOutputMethodOptions } from '@langchain/core/language_models/base';
import type { BindToolsInput } from '@langchain/core/language_models/chat_models';
import {
  createContentParser,
  createFunctionCallingParser,
} from '@langchain/core/language_models/structured_output';
import type { Runnable } from '@langchain/core/runnables';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { RivuletError } from '../../src/errors.ts';
import type { ChatLocalCallOptions } from './chat-options.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- core's own bound; interfaces have no index signature
export type AnyRecord = Record<string, any>;

/** Zod of both versions, a Standard Schema, or JSON Schema. */
export type OutputSchema<RunOutput extends AnyRecord> = Parameters<typeof createContentParser<RunOutput>>[0];

/** What a model is bound to for structured output, and what reads its messages. */
export interface StructuredOutput<RunOutput extends AnyRecord> {
  readonly tools?: BindToolsInput[];
  readonly options: Partial<ChatLocalCallOptions>;
  readonly parser: Runnable<never, RunOutput>;
}

/** @throws {RivuletError} `INVALID_ARGUMENT` for an unknown method */
export function structuredOutput<RunOutput extends AnyRecord>(
  schema: OutputSchema<RunOutput>,
  { name, method = 'functionCalling' }: StructuredOutputMethodOptions<boolean>,
): StructuredOutput<RunOutput> {
  const jsonSchema: AnyRecord = toJsonSchema(schema as AnyRecord);
  const { title, description } = jsonSchema as { readonly title?: unknown; readonly description?: unknown };
  const told = { ls_structured_output_format: { kwargs: { method }, schema: jsonSchema } };
  switch (method) {
    case 'functionCalling': {
      const functionName = name ?? (typeof title === 'string' ? title : 'extract');
      const definition = {
        name: functionName,
        description: typeof description === 'string' ? description : 'Gives the answer.',
        parameters: jsonSchema,
      };
      return {
        tools: [{ type: 'function', function: definition }],
        // One call is all that is read.
        options: { ...told, tool_choice: functionName, maxToolCalls: 1 },
        parser: createFunctionCallingParser(schema, functionName),
      };
    }
    case 'jsonSchema':
      return {
        options: { ...told, response_format: { type: 'json_schema', json_schema: { schema: jsonSchema } } },
        parser: createContentParser(schema),
      };
    case 'jsonMode':
      return {
        options: { ...told, response_format: { type: 'json_object' } },
        parser: createContentParser(schema),
      };
    default:
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected method to be "functionCalling", "jsonSchema" or "jsonMode", got "${method}".`,
        { details: { option: 'method' } },
      );
  }
}
