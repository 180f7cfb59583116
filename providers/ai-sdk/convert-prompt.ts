import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import type { ChatMessage, ToolCall } from '../../src/chat/messages.ts';

type AssistantContent = (LanguageModelV4Message & { role: 'assistant' })['content'];
type UserContent = (LanguageModelV4Message & { role: 'user' })['content'];
type ToolContent = (LanguageModelV4Message & { role: 'tool' })['content'];

/**
 * AI SDK messages to ours, in order; one tool message per result.
 *
 * @throws {UnsupportedFunctionalityError} for files of every kind
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
  const parts = content.map((part) => {
    if (part.type === 'file') throw unsupportedFile(part.mediaType, 'a user message');
    return { type: 'text' as const, text: part.text };
  });
  const [only, ...more] = parts;
  // Most templates expect plain text; several parts are left for the template to join its own way.
  return { role: 'user', content: more.length === 0 ? (only?.text ?? '') : parts };
}

function convertAssistant(content: AssistantContent): ChatMessage[] {
  let text = '';
  let reasoning = '';
  const toolCalls: ToolCall[] = [];
  const results: ChatMessage[] = [];
  for (const part of content) {
    switch (part.type) {
      case 'text':
        text += part.text;
        break;
      case 'reasoning':
        reasoning += part.text;
        break;
      case 'tool-call':
        toolCalls.push({ id: part.toolCallId, name: part.toolName, arguments: toArguments(part.input) });
        break;
      case 'tool-result':
        results.push(convertToolResult(part));
        break;
      case 'file':
      case 'reasoning-file':
        throw unsupportedFile(part.mediaType, 'an assistant message');
      case 'custom':
        // Another provider's own content; the specification lets a provider pass over kinds it doesn't know.
        break;
    }
  }
  const answer: ChatMessage = {
    role: 'assistant',
    content: text,
    ...(reasoning === '' ? {} : { reasoning }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  };
  return [answer, ...results];
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
      return output.value
        .map((part) => {
          if (part.type === 'file') throw unsupportedFile(part.mediaType, 'a tool result');
          return part.type === 'text' ? part.text : '';
        })
        .join('');
  }
}

/** An invalid call of an earlier turn may hold anything; the model still sees what it wrote. */
function toArguments(input: unknown): ToolCall['arguments'] {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  return input === undefined || input === '' ? {} : { input };
}

function unsupportedFile(mediaType: string, place: string): UnsupportedFunctionalityError {
  return new UnsupportedFunctionalityError({
    functionality: `file part of type ${mediaType}`,
    message: `Only text is understood so far, found a file of type ${mediaType} in ${place}; take it out or put its text into the message.`,
  });
}
