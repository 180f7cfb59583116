import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import type { ChatMessage, ToolCall } from '../../src/chat/messages.ts';
import { readTextFile } from './read-text-file.ts';

type AssistantContent = (LanguageModelV4Message & { role: 'assistant' })['content'];
type UserContent = (LanguageModelV4Message & { role: 'user' })['content'];
type ToolContent = (LanguageModelV4Message & { role: 'tool' })['content'];
type ToolResultContent = (LanguageModelV4ToolResultOutput & { type: 'content' })['value'][number];

/**
 * AI SDK messages to ours, in order; one tool message per result. Files of text are text.
 *
 * @throws {UnsupportedFunctionalityError} for files of other kinds
 */
export function convertPrompt(prompt: LanguageModelV4Prompt): ChatMessage[] {
  return prompt.flatMap((message): ChatMessage[] => {
    switch (message.role) {
      case 'system':
        return [{ role: 'system', content: message.content }];
      case 'user':
        return [convertUser(message.content)];
      case 'assistant':
        return convertAssistant(message.content);
      case 'tool':
        return convertToolResults(message.content);
    }
  });
}

function convertUser(content: UserContent): ChatMessage {
  const parts = content.map((part) => ({
    type: 'text' as const,
    text: part.type === 'file' ? readTextFile(part, 'a user message') : part.text,
  }));
  const [only, ...more] = parts;
  // Most templates expect plain text; several parts are left for the template to join its own way.
  return { role: 'user', content: more.length === 0 ? (only?.text ?? '') : parts };
}

/** What follows a result of the provider's own tools is a new message, as it was said after it. */
function convertAssistant(content: AssistantContent): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let turn = emptyTurn();
  const endTurn = (): void => {
    if (!isEmpty(turn)) messages.push(toMessage(turn));
    turn = emptyTurn();
  };
  for (const part of content) {
    switch (part.type) {
      case 'text':
        turn.text += part.text;
        break;
      case 'reasoning':
        turn.reasoning += part.text;
        break;
      case 'tool-call':
        turn.toolCalls.push({
          id: part.toolCallId,
          name: part.toolName,
          arguments: toArguments(part.input),
        });
        break;
      case 'tool-result':
        endTurn();
        messages.push(convertToolResult(part));
        break;
      case 'file':
        turn.text += readTextFile(part, 'an assistant message');
        break;
      case 'reasoning-file':
      case 'custom':
        // Another provider's own content; the specification lets a provider pass over kinds it doesn't know.
        break;
    }
  }
  if (messages.length === 0 || !isEmpty(turn)) messages.push(toMessage(turn));
  return messages;
}

interface Turn {
  text: string;
  reasoning: string;
  readonly toolCalls: ToolCall[];
}

function emptyTurn(): Turn {
  return { text: '', reasoning: '', toolCalls: [] };
}

function isEmpty({ text, reasoning, toolCalls }: Turn): boolean {
  return text === '' && reasoning === '' && toolCalls.length === 0;
}

function toMessage({ text, reasoning, toolCalls }: Turn): ChatMessage {
  return {
    role: 'assistant',
    content: text,
    ...(reasoning === '' ? {} : { reasoning }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  };
}

function convertToolResults(content: ToolContent): ChatMessage[] {
  // An approval only tells the SDK to run the tool; the model sees its result.
  return content.flatMap((part) => (part.type === 'tool-result' ? [convertToolResult(part)] : []));
}

function convertToolResult(part: LanguageModelV4ToolResultPart): ChatMessage {
  return {
    role: 'tool',
    content: toolOutputText(part.output),
    toolCallId: part.toolCallId,
    toolName: part.toolName,
  };
}

function toolOutputText(output: LanguageModelV4ToolResultOutput): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value);
    case 'execution-denied':
      return output.reason ?? 'The execution of this tool was denied.';
    case 'content':
      // One line each, as the parts of a user message.
      return output.value.flatMap(contentText).join('\n');
  }
}

function contentText(part: ToolResultContent): string[] {
  switch (part.type) {
    case 'text':
      return [part.text];
    case 'file':
      return [readTextFile(part, 'a tool result')];
    case 'custom':
      return [];
  }
}

/** An invalid call of an earlier turn may hold anything; the model still sees what it wrote. */
function toArguments(input: unknown): ToolCall['arguments'] {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  return input === undefined || input === '' ? {} : { input };
}
