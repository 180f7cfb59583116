import type { ChatMessage } from './messages.ts';

/**
 * A message of several text parts as one text of as many lines. Templates that know no parts print them as a list,
 * or leave them out; other kinds of parts stay for the template to refuse.
 */
export function joinTextParts(message: ChatMessage): ChatMessage {
  const { content } = message;
  if (typeof content === 'string') return message;
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === content.length ? { ...message, content: texts.join('\n') } : message;
}
