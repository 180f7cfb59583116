import type { BindToolsInput } from '@langchain/core/language_models/chat_models';
import { convertToOpenAITool, isLangChainTool } from '@langchain/core/utils/function_calling';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { isSerializableSchema } from '@langchain/core/utils/standard_schema';
import { isInteropZodSchema } from '@langchain/core/utils/types';
import type { JSONSchema, ToolDefinition } from '../../src/chat/messages.ts';
import { RivuletError } from '../../src/errors.ts';
import type { ChatRequest } from '../../src/model.ts';
import type { ChatLocalCallOptions } from './chat-options.ts';

type PreparedTools = Pick<ChatRequest, 'tools' | 'toolChoice' | 'maxToolCalls'>;

/** Tools of all kinds that LangChain binds, in the shape of OpenAI's interface: what agents compare bound tools by. */
export function toOpenAiTools(tools: readonly BindToolsInput[]): Record<string, unknown>[] {
  return tools.map((tool) => {
    const converted: unknown = isLangChainTool(tool) ? convertToOpenAITool(tool) : tool;
    return { ...(converted as object) };
  });
}

/**
 * Bound tools and the choice among them as a request says it.
 * @throws {RivuletError} `INVALID_ARGUMENT` for a tool that is no function and for a choice of an unknown form
 */
export function prepareTools(
  options: Pick<Partial<ChatLocalCallOptions>, 'tools' | 'tool_choice' | 'parallel_tool_calls' | 'strict'>,
): PreparedTools {
  const { strict } = options;
  const definitions = toOpenAiTools(options.tools ?? []).map((tool) => toDefinition(tool, strict));
  const toolChoice = prepareChoice(options.tool_choice);
  return {
    ...(definitions.length === 0 ? {} : { tools: definitions }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(options.parallel_tool_calls === false ? { maxToolCalls: 1 } : {}),
  };
}

function toDefinition(
  tool: Readonly<Record<string, unknown>>,
  strictByDefault: boolean | undefined,
): ToolDefinition {
  const { function: wrapped } = tool;
  const {
    name,
    description,
    strict = strictByDefault,
    parameters,
    input_schema: inputSchema,
  } = (isObject(wrapped) ? wrapped : tool) as { readonly [key: string]: unknown };
  const schema = parameters ?? inputSchema;
  const isFunction = isObject(wrapped) || isObject(schema);
  if (typeof name !== 'string' || !isFunction) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected tools that are functions, got one of the type "${String(tool['type'])}". Tools that run with a provider are not available here; leave it out.`,
      { details: { option: 'tools' } },
    );
  }
  return {
    name,
    parameters: toSchema(schema),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

function toSchema(schema: unknown): JSONSchema {
  if (isInteropZodSchema(schema) || isSerializableSchema(schema)) return toJsonSchema(schema) as JSONSchema;
  return isObject(schema) || typeof schema === 'boolean' ? schema : { type: 'object', properties: {} };
}

/** The words and objects of several providers that LangChain's users write. */
function prepareChoice(choice: unknown): ChatRequest['toolChoice'] {
  if (choice === undefined || choice === null || choice === 'auto') return undefined;
  if (choice === 'any' || choice === 'required' || choice === true) return 'required';
  if (choice === 'none') return 'none';
  if (typeof choice === 'string') return { name: choice };
  const {
    type,
    name,
    function: chosen,
  } = (isObject(choice) ? choice : {}) as {
    readonly type?: unknown;
    readonly name?: unknown;
    readonly function?: { readonly name?: unknown };
  };
  if (typeof chosen?.name === 'string') return { name: chosen.name };
  if (typeof name === 'string') return { name };
  if (typeof type === 'string' && type !== 'function' && type !== 'tool') return prepareChoice(type);
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected tool_choice to be "auto", "none", "any", the name of a tool or an object with that name, got ${JSON.stringify(choice)}.`,
    { details: { option: 'tool_choice' } },
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
