import { RivuletError } from '../errors.ts';
import type { ChatMessage, ContentPart, ToolDefinition } from './messages.ts';
import { reasoningFields } from './reasoning-history.ts';
import type { ReasoningPlace } from './reasoning-history.ts';

/** A message or a tool in the shape of OpenAI's chat interface, which templates are written for. */
export type TemplateObject = Readonly<Record<string, unknown>>;

/** A conversation as a template sees it; `tools` is null when there are none, or left away. */
export interface TemplateConversation {
  readonly messages: readonly TemplateObject[];
  readonly tools?: readonly TemplateObject[] | null;
}

/** @throws {RivuletError} `UNSUPPORTED` for content that is no text */
export function toTemplateMessage(message: ChatMessage, place: ReasoningPlace): TemplateObject {
  const content = toTemplateContent(message);
  if (message.role === 'tool') {
    return {
      role: message.role,
      ...(message.toolCallId === undefined ? {} : { tool_call_id: message.toolCallId }),
      ...(message.toolName === undefined ? {} : { name: message.toolName }),
      content,
    };
  }
  const calls = message.toolCalls ?? [];
  return {
    role: message.role,
    ...reasoningFields(message, content, place),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
  };
}

/** A tool as a template sees it. */
export function toTemplateTool(tool: ToolDefinition): TemplateObject {
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: tool.parameters,
    },
  };
}

function toTemplateContent(message: ChatMessage): unknown {
  if (typeof message.content === 'string') return message.content;
  const texts = message.content.map((part, index) => textOf(message, part, index));
  // One part says no more than its text, and more templates understand that.
  return texts.length === 1 ? texts[0] : texts.map((text) => ({ type: 'text', text }));
}

function textOf(message: ChatMessage, part: ContentPart, index: number): string {
  if (part.type === 'text') return part.text;
  throw new RivuletError(
    'UNSUPPORTED',
    `Expected the content of a message to be text, but part ${index + 1} of a message of the role "${message.role}" is of the type "${part.type}". This version understands text only; leave the part away or describe it in words.`,
    { details: { partType: part.type, partIndex: index, role: message.role } },
  );
}
