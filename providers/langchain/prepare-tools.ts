import type { BindToolsInput } from '@langchain/core/language_models/chat_models';
import { convertToOpenAITool, isLangChainTool } from '@langchain/core/utils/function_calling';
import type { JSONSchema, ToolDefinition } from '../../src/chat/messages.ts';
import { RivuletError } from '../../src/errors.ts';
import type { ChatRequest } from '../../src/model.ts';

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
  tools: readonly BindToolsInput[] | undefined,
  choice: unknown,
): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  const definitions = toOpenAiTools(tools ?? []).map(toDefinition);
  const toolChoice = prepareChoice(choice);
  return {
    ...(definitions.length === 0 ? {} : { tools: definitions }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
  };
}

function toDefinition(tool: Readonly<Record<string, unknown>>): ToolDefinition {
  const { function: definition } = tool as { readonly function?: unknown };
  const { name, description, parameters, strict } = (isObject(definition) ? definition : {}) as {
    readonly [Key in keyof ToolDefinition]?: unknown;
  };
  if (typeof name !== 'string') {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected tools that are functions, got one of the type "${String(tool['type'])}". Tools that run with a provider are not available here; leave it out.`,
      { details: { option: 'tools' } },
    );
  }
  const schema: JSONSchema =
    isObject(parameters) || typeof parameters === 'boolean' ? parameters : { type: 'object', properties: {} };
  return {
    name,
    parameters: schema,
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
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
