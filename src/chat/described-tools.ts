import { writeCalls, writeJson } from './formats/write-calls.ts';
import type { ChatMessage, ToolDefinition } from './messages.ts';
import type { ToolFormat } from './tool-format.ts';

const opening = '<tool_response>';
const closing = '</tool_response>';

/** What a model is told about its tools when its template cannot say it. */
export function describeTools(tools: readonly ToolDefinition[], format: ToolFormat): string {
  const descriptions = tools.map((tool) =>
    writeJson({ name: tool.name, description: tool.description, parameters: tool.parameters }),
  );
  const example = writeCalls(format, [{ name: 'tool_name', arguments: { argument_name: 'value' } }]);
  const many = format.writing.parallel ? ' Write one such block for each call when you need several.' : '';
  return [
    '# Tools',
    'You can call these functions, each given as JSON with the schema of its arguments:',
    `<tools>\n${descriptions.join('\n')}\n</tools>`,
    `To call a function, answer in exactly this form, with the function's name and arguments:\n${example.trim()}`,
    `${many.trim()} The results come back between ${opening} and ${closing}. When no function helps, answer in plain words.`.trim(),
  ].join('\n\n');
}

/** The conversation with a text in the words of the system, or in the first words of the user. */
export function addInstructions(
  messages: readonly ChatMessage[],
  text: string,
  showsSystem: boolean,
): readonly ChatMessage[] {
  const [first] = messages;
  if (first?.role === 'system' || first?.role === 'developer') {
    return [withText(first, text, 'after'), ...messages.slice(1)];
  }
  if (showsSystem) return [{ role: 'system', content: text }, ...messages];
  const index = messages.findIndex((message) => message.role === 'user');
  if (index < 0) return [{ role: 'user', content: text }, ...messages];
  return messages.map((message, at) => (at === index ? withText(message, text, 'before') : message));
}

/** Earlier calls as the text that the model wrote. */
export function writeEarlierCalls(message: ChatMessage, format: ToolFormat): ChatMessage {
  const { toolCalls = [], ...rest } = message;
  return toolCalls.length === 0 ? message : withText(rest, writeCalls(format, toolCalls), 'after', '\n');
}

/** Results of tools as words of the user, in one message with those that stand beside them. */
export function writeResults(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const written: ChatMessage[] = [];
  let isResult = false;
  for (const message of messages) {
    const text = `${opening}\n${contentText(message)}\n${closing}`;
    const isTool = message.role === 'tool';
    const one: ChatMessage = isTool ? { role: 'user', content: text } : message;
    const last = written.at(-1);
    // Templates without tools often want the roles to take turns.
    if (isResult && last !== undefined && one.role === 'user') {
      written[written.length - 1] = withText(last, contentText(one), 'after', isTool ? '\n' : '\n\n');
    } else written.push(one);
    isResult = isTool;
  }
  return written;
}

function withText(
  message: ChatMessage,
  text: string,
  place: 'before' | 'after',
  separator = '\n\n',
): ChatMessage {
  const { content } = message;
  if (typeof content !== 'string') {
    const part = { type: 'text' as const, text };
    return { ...message, content: place === 'before' ? [part, ...content] : [...content, part] };
  }
  const parts = (place === 'before' ? [text, content] : [content, text]).filter((one) => one !== '');
  return { ...message, content: parts.join(separator) };
}

function contentText({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}
