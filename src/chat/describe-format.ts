import { addInstructions } from './described-tools.ts';
import type { ChatMessage, JSONSchema } from './messages.ts';

/** What an answer has to look like. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | {
      readonly type: 'json';
      readonly schema?: JSONSchema;
      /** What the answer is called. */
      readonly name?: string;
      /** What the answer is, in words. */
      readonly description?: string;
      /** Tell the model of the format in the prompt. @default only where the conversation does not speak of it */
      readonly inPrompt?: boolean;
    };

/**
 * Tells the model of the format that its answer is held to, where the conversation does not: what a model expects to
 * write it writes better than what it is forced to. Unless it is asked for, a conversation that mentions all properties
 * of a schema, or JSON where there is no schema, and the format's description, stays as it is.
 * @param showsSystem whether the template has a place for words of the system
 */
export function describeFormat(
  messages: readonly ChatMessage[],
  format: ResponseFormat | undefined,
  showsSystem: () => boolean,
): readonly ChatMessage[] {
  if (format?.type !== 'json' || !(format.inPrompt ?? !isKnown(messages, format))) return messages;
  const { schema, name, description } = format;
  const subject = [name, description].filter((words) => words !== undefined && words !== '').join(': ');
  const answer = `Answer with JSON${subject === '' ? '' : ` (${subject})`}`;
  const text =
    schema === undefined
      ? `${answer}.`
      : `${answer} that is valid under this JSON schema:\n${JSON.stringify(schema)}`;
  return addInstructions(messages, text, showsSystem());
}

function isKnown(
  messages: readonly ChatMessage[],
  { schema, description = '' }: ResponseFormat & { type: 'json' },
): boolean {
  const words = messages.map(({ content }) =>
    (typeof content === 'string'
      ? content
      : content.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
    ).toLowerCase(),
  );
  const isMentioned = (word: string): boolean => words.some((text) => text.includes(word.toLowerCase()));
  if (!isMentioned(description)) return false;
  if (schema === undefined) return isMentioned('json');
  const { properties } = (typeof schema === 'boolean' ? {} : schema) as { readonly properties?: unknown };
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return names.length > 0 && names.every(isMentioned);
}
