import { AIMessage } from '@langchain/core/messages';
import type { BaseMessage, ChatMessage as RoleMessage, ToolMessage } from '@langchain/core/messages';
import type { ChatMessage, ToolCall } from '../../src/chat/messages.ts';
import { RivuletError } from '../../src/errors.ts';
import { sortContent } from './content-text.ts';
import type { CallBlock } from './content-text.ts';

/** LangChain's names of roles, as a free `ChatMessage` may carry them, and ours. */
const roleNames: ReadonlyMap<string, string> = new Map([
  ['human', 'user'],
  ['ai', 'assistant'],
  ['developer', 'system'],
]);

/**
 * LangChain messages to ours, one for one and in order. Names of agents and artifacts of tools are not
 * meant for the model and stay out.
 *
 * @throws {RivuletError} `UNSUPPORTED` for content other than text, `INVALID_ARGUMENT` for a message kind that no model is sent
 */
export function convertMessages(messages: readonly BaseMessage[]): ChatMessage[] {
  const callNames = new Map<string, string>();
  return messages.map((message): ChatMessage => {
    switch (message.type) {
      case 'system':
      case 'developer':
        return { role: 'system', content: convertText(message) };
      case 'human':
        return { role: 'user', content: convertText(message) };
      case 'generic': {
        const { role } = message as RoleMessage;
        return { role: roleNames.get(role) ?? role, content: convertText(message) };
      }
      case 'ai': {
        const converted = convertAnswer(message);
        for (const call of converted.toolCalls ?? []) callNames.set(call.id, call.name);
        return converted;
      }
      case 'tool': {
        const { tool_call_id: toolCallId } = message as ToolMessage;
        const toolName = message.name ?? callNames.get(toolCallId);
        return {
          role: 'tool',
          content: convertText(message),
          toolCallId,
          ...(toolName === undefined ? {} : { toolName }),
        };
      }
      case 'function':
        return {
          role: 'tool',
          content: convertText(message),
          ...(message.name === undefined ? {} : { toolName: message.name, toolCallId: message.name }),
        };
      default:
        throw new RivuletError(
          'INVALID_ARGUMENT',
          `A prompt holds system, human, ai, tool and generic messages, found one of type "${message.type}"; take it out.`,
          { details: { option: 'messages', type: message.type } },
        );
    }
  });
}

/** Most templates expect plain text; several parts are left for the template to join its own way. */
function convertText(message: BaseMessage): ChatMessage['content'] {
  const { texts } = sortContent(message.content);
  return texts.length > 1 ? texts.map((text) => ({ type: 'text', text })) : (texts[0] ?? '');
}

function convertAnswer(message: BaseMessage): ChatMessage {
  const sorted = sortContent(message.content);
  const { reasoning_content: kept } = message.additional_kwargs as { reasoning_content?: unknown };
  const reasoning = sorted.reasoning === '' && typeof kept === 'string' ? kept : sorted.reasoning;
  const toolCalls = collectCalls(message, sorted.calls);
  return {
    role: 'assistant',
    content: sorted.texts.join(''),
    ...(reasoning === '' ? {} : { reasoning }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  };
}

/** The same call may be in `tool_calls` and, by its id, in the content; the first wins. */
function collectCalls(message: BaseMessage, blocks: readonly CallBlock[]): ToolCall[] {
  const calls = new Map<string, ToolCall>();
  const add = (id: string | undefined, name: string | undefined, args: unknown): void => {
    const key = id ?? `call_${calls.size}`;
    if (calls.has(key)) return;
    calls.set(key, { id: key, name: name ?? '', arguments: toArguments(args) });
  };
  const hasOwnCalls = AIMessage.isInstance(message) || 'tool_calls' in message;
  if (hasOwnCalls) {
    const answer = message as AIMessage;
    for (const call of answer.tool_calls ?? []) add(call.id, call.name, call.args);
    for (const call of answer.invalid_tool_calls ?? []) add(call.id, call.name, call.args);
  }
  const complete = calls.size > 0;
  for (const block of blocks) {
    if (block.id === undefined && complete) continue;
    add(block.id, block.name, block.arguments);
  }
  const { function_call: legacy } = message.additional_kwargs;
  if (legacy !== undefined && calls.size === 0) add(legacy.name, legacy.name, legacy.arguments);
  return [...calls.values()];
}

/** What is no JSON object (a call that the model got wrong) is shown as it was written. */
function toArguments(args: unknown): ToolCall['arguments'] {
  const value = typeof args === 'string' ? parseJson(args) : args;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  return value === undefined || value === '' ? {} : { input: value };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
