import { RivuletError } from '../errors.ts';
import { fitCallIds } from './call-ids.ts';
import { addInstructions, describeTools, writeEarlierCalls, writeResults } from './described-tools.ts';
import { detectTools } from './formats/detect-tools.ts';
import type { ChatMessage, ToolDefinition } from './messages.ts';
import type { OfferedTool } from './output/call-context.ts';
import type { ChatTemplate } from './template.ts';
import type { ToolFormat } from './tool-format.ts';
import { nameTools } from './tool-names.ts';

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface ConversationInput {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
}

/** A conversation as the template takes it. */
export interface PreparedConversation {
  readonly messages: readonly ChatMessage[];
  /** For the template; empty when it shows none or none are offered. */
  readonly tools: readonly ToolDefinition[];
  /** The tools of this request by the names that the model knows; empty: nothing is a call. */
  readonly offered: ReadonlyMap<string, OfferedTool>;
  /** How the model writes calls; absent when no tools are offered. */
  readonly toolFormat?: ToolFormat;
  /** The model's name of the one tool that has to be called. */
  readonly requiredTool?: string;
}

/**
 * Tools and earlier calls in the form that the template knows, or in words where it knows none.
 * @throws {RivuletError} `INVALID_ARGUMENT` for names that are empty or occur twice, and for a choice of no tool
 */
export function prepareConversation(
  input: ConversationInput,
  template: () => ChatTemplate,
): PreparedConversation {
  const tools = input.toolChoice === 'none' ? [] : (input.tools ?? []);
  checkChoice(input);
  const hasHistory = input.messages.some(
    (message) => message.role === 'tool' || (message.toolCalls ?? []).length > 0,
  );
  if (tools.length === 0 && !hasHistory) return { messages: input.messages, tools, offered: new Map() };

  const support = detectTools(template());
  const { format } = support;
  const names = nameTools(tools, format);
  const renamed = tools.map((tool) => ({ ...tool, name: names.forModel(tool.name) }));
  let messages = fitCallIds(nameMessages(input.messages, names.forModel), format.ids);
  if (!format.writing.parallel) messages = splitCalls(messages);
  if (!support.showsCalls) messages = messages.map((message) => writeEarlierCalls(message, format));
  const knowsTools = support.showsTools || support.showsCalls;
  if (!support.showsResults || !knowsTools) messages = writeResults(messages);
  if (tools.length === 0) return { messages, tools, offered: names.offered };
  if (!support.showsTools) {
    messages = addInstructions(messages, describeTools(renamed, format), support.showsSystem);
  }
  const { toolChoice } = input;
  return {
    messages,
    tools: support.showsTools ? renamed : [],
    offered: names.offered,
    toolFormat: format,
    ...(typeof toolChoice === 'object' ? { requiredTool: names.forModel(toolChoice.name) } : {}),
  };
}

function checkChoice({ tools = [], toolChoice }: ConversationInput): void {
  const isNamed = typeof toolChoice === 'object';
  if (toolChoice !== 'required' && !isNamed) return;
  if (isNamed ? tools.some((tool) => tool.name === toolChoice.name) : tools.length > 0) return;
  const names = tools.map((tool) => `"${tool.name}"`).join(', ');
  throw new RivuletError(
    'INVALID_ARGUMENT',
    isNamed
      ? `Expected toolChoice to name one of the tools (${names || 'there are none'}), got "${toolChoice.name}".`
      : 'Expected tools together with toolChoice "required", got none. Give tools or leave toolChoice away.',
    { details: { option: 'toolChoice', ...(isNamed ? { toolName: toolChoice.name } : {}) } },
  );
}

/** Calls and results under the names that the model knows; a result learns the name of its call. */
function nameMessages(
  messages: readonly ChatMessage[],
  forModel: (name: string) => string,
): readonly ChatMessage[] {
  const byId = new Map<string, string>();
  return messages.map((message) => {
    const toolCalls = message.toolCalls?.map((call) => {
      const name = forModel(call.name);
      byId.set(call.id, name);
      return { ...call, name };
    });
    const toolName =
      message.role === 'tool' && message.toolName !== undefined
        ? forModel(message.toolName)
        : (byId.get(message.toolCallId ?? '') ?? message.toolName);
    return {
      ...message,
      ...(toolCalls === undefined ? {} : { toolCalls }),
      ...(toolName === undefined || message.role !== 'tool' ? {} : { toolName }),
    };
  });
}

/** One call for each message, its result behind it: such templates know no other order. */
function splitCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const results = new Map<string, ChatMessage>();
  for (const message of messages) {
    if (message.role === 'tool' && message.toolCallId !== undefined) results.set(message.toolCallId, message);
  }
  const moved = new Set<ChatMessage>();
  const split = messages.flatMap((message) => {
    const { toolCalls = [], ...rest } = message;
    if (toolCalls.length < 2) return [message];
    return toolCalls.flatMap((call, index): ChatMessage[] => {
      const result = results.get(call.id);
      if (result !== undefined) moved.add(result);
      const one: ChatMessage =
        index === 0 ? { ...rest, toolCalls: [call] } : { role: message.role, content: '', toolCalls: [call] };
      return result === undefined ? [one] : [one, result];
    });
  });
  const placed = new Set<ChatMessage>();
  return split.filter((message) => {
    if (!moved.has(message)) return true;
    const isFirst = !placed.has(message);
    placed.add(message);
    return isFirst;
  });
}
