import type {
  BaseLanguageModelInput,
  BaseLanguageModelInterface,
  StructuredOutputMethodOptions,
} from '@langchain/core/language_models/base';
import {
  createContentParser,
  createFunctionCallingParser,
} from '@langchain/core/language_models/structured_output';
import type { BaseMessage } from '@langchain/core/messages';
import { OutputParserException } from '@langchain/core/output_parsers';
import type { BaseLLMOutputParser } from '@langchain/core/output_parsers';
import { JsonOutputKeyToolsParser } from '@langchain/core/output_parsers/openai_tools';
import type { ChatGeneration } from '@langchain/core/outputs';
import type { Runnable } from '@langchain/core/runnables';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { isSerializableSchema } from '@langchain/core/utils/standard_schema';
import { getSchemaDescription, isInteropZodSchema } from '@langchain/core/utils/types';
import { RivuletError } from '../../src/errors.ts';
import type { ChatLocalCallOptions } from './chat-options.ts';

/** Core's own bound of a parsed answer. */
export type StructuredValue = ReturnType<BaseLanguageModelInterface['_identifyingParams']>;

type Json = StructuredValue;

/** zod 3, zod 4, Standard Schema or JSON schema. */
export type OutputSchema<T extends Json = Json> = Parameters<typeof createContentParser<T>>[0];

/** Gives the parsed answer, or with `includeRaw` both it and the message. */
export type StructuredRunnable<T extends Json> =
  | Runnable<BaseLanguageModelInput, T>
  | Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: T }>;

/** How a model is bound to give structured output, and what reads it. */
export interface StructuredOutput<T extends Json> {
  readonly options: Partial<ChatLocalCallOptions>;
  /** For the method functionCalling. */
  readonly tool?: { type: 'function'; function: Json };
  readonly parser: BaseLLMOutputParser<T>;
}

const defaultName = 'extract';

/** @throws {RivuletError} `INVALID_ARGUMENT` for an unknown method */
export function structureOutput<T extends Json>(
  schema: OutputSchema<T>,
  config: StructuredOutputMethodOptions<boolean> = {},
): StructuredOutput<T> {
  const { method = 'functionCalling', strict } = config;
  const { name, description, jsonSchema } = describeSchema(schema, config.name);
  const strictness = strict === undefined ? {} : { strict };
  const traced = { ls_structured_output_format: { kwargs: { method }, schema: jsonSchema } };
  switch (method) {
    case 'functionCalling':
      return {
        tool: {
          type: 'function',
          function: { name, description, parameters: jsonSchema, ...strictness },
        },
        options: { tool_choice: name, parallel_tool_calls: false, ...strictness, ...traced },
        parser: createFunctionCallingParser<T>(schema, name, CallParser),
      };
    case 'jsonSchema':
      return {
        options: {
          response_format: {
            type: 'json_schema',
            json_schema: { name, description, schema: jsonSchema, ...strictness },
          },
          ...traced,
        },
        parser: createContentParser<T>(schema),
      };
    case 'jsonMode':
      return {
        options: { response_format: { type: 'json_object' }, ...traced },
        parser: createContentParser<T>(schema),
      };
    default:
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected the method of structured output to be "functionCalling", "jsonSchema" or "jsonMode", got "${method}".`,
        { details: { option: 'method' } },
      );
  }
}

interface DescribedSchema {
  readonly name: string;
  readonly description: string;
  readonly jsonSchema: Json;
}

function describeSchema(schema: OutputSchema, givenName: string | undefined): DescribedSchema {
  const fallback = 'A function available to call.';
  if (isInteropZodSchema(schema) || isSerializableSchema(schema)) {
    const jsonSchema = toJsonSchema(schema) as Json;
    const { title } = jsonSchema;
    const name = givenName ?? (typeof title === 'string' && isToolName(title) ? title : defaultName);
    return { name, description: getSchemaDescription(schema) ?? fallback, jsonSchema };
  }
  const { name, title, description, parameters } = schema as Json;
  // OpenAI's description of a function holds the schema one level down.
  const isFunction = typeof name === 'string' && typeof parameters === 'object' && parameters !== null;
  const named = [givenName, name, title].find(
    (candidate): candidate is string => typeof candidate === 'string' && isToolName(candidate),
  );
  return {
    name: named ?? defaultName,
    description: typeof description === 'string' ? description : fallback,
    jsonSchema: isFunction ? (parameters as Json) : (schema as Json),
  };
}

/** Titles are for people; models know names of functions. */
function isToolName(name: string): boolean {
  return /^[\w.-]+$/.test(name);
}

/** An answer without the call is no result, where core would hand on `undefined` as one. */
class CallParser<T extends Json> extends JsonOutputKeyToolsParser<T> {
  override async parseResult(generations: ChatGeneration[]): Promise<T> {
    const result: T | undefined = await super.parseResult(generations);
    if (result !== undefined) return result;
    const { message } = generations[0] ?? {};
    throw new OutputParserException(
      `Expected a call of "${this.keyName}", and the answer holds none; it may have been cut (see finish_reason).`,
      typeof message?.content === 'string' ? message.content : JSON.stringify(message?.content),
    );
  }
}
