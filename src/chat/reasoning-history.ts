import type { ChatMessage } from './messages.ts';
import type { TemplateObject } from './template-messages.ts';

/** Under which key, or how else, a template looks for the thoughts of earlier turns. */
export type ReasoningPlace = 'reasoning_content' | 'reasoning' | 'thinking' | 'thought' | 'content-part';

/**
 * Where a template looks for the thoughts of earlier turns; whether it shows them is its own matter. Templates that
 * look nowhere get the most common key.
 */
export function findReasoningPlace(source: string): ReasoningPlace {
  if (source.includes('reasoning_content')) return 'reasoning_content';
  if (/\['type'\]\s*==\s*'thinking'/.test(source)) return 'content-part';
  for (const key of ['thinking', 'reasoning', 'thought'] as const) {
    if (
      new RegExp(`\\b(?:message|msg|m)(?:\\.${key}\\b|\\[['"]${key}['"]\\])|['"]${key}['"] in message`).test(
        source,
      )
    ) {
      return key;
    }
  }
  return 'reasoning_content';
}

/** The thoughts of a message as such a template takes them. */
export function reasoningFields(
  message: ChatMessage,
  content: unknown,
  place: ReasoningPlace,
): TemplateObject {
  const { reasoning } = message;
  if (reasoning === undefined) return { content };
  if (place === 'content-part') {
    const parts: readonly unknown[] = Array.isArray(content) ? content : textParts(content);
    return { content: [{ type: 'thinking', thinking: reasoning }, ...parts] };
  }
  const hasText = typeof content === 'string' && content !== '';
  if (place === 'thinking' && hasText && (message.toolCalls ?? []).length > 0) {
    // gpt-oss's template takes one of the two before a call, and shows both as thoughts.
    return { content: '', thinking: `${reasoning}\n\n${content}` };
  }
  return { content, [place]: reasoning };
}

function textParts(content: unknown): readonly unknown[] {
  return content === '' ? [] : [{ type: 'text', text: content }];
}
