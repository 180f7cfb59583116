import { RivuletError } from '../errors.ts';
import type { ChatMessage } from './messages.ts';
import { opensReasoning } from './reasoning.ts';
import type { ReasoningFormat } from './reasoning.ts';
import { closingOf } from './switch-off-reasoning.ts';
import type { ChatTemplate, RenderedPrompt, TemplateInput } from './template.ts';

/**
 * The prompt up to the end of the last message, an answer that the model shall go on with; undefined where the template
 * refuses such a conversation or changes the text of the answer.
 * @throws {RivuletError} as {@link ChatTemplate.render}, but for what the template refuses
 */
export function renderContinuation(
  template: ChatTemplate,
  input: TemplateInput,
  reasoning: ReasoningFormat | undefined,
): RenderedPrompt | undefined {
  const last = input.messages.at(-1);
  const text = textOf(last);
  if (last === undefined || text === undefined) return undefined;
  const mark = unusedMark(JSON.stringify(input.messages));
  const messages = [...input.messages.slice(0, -1), { ...last, content: text + mark }];
  let rendered: RenderedPrompt;
  try {
    rendered = template.render({ ...input, messages, addGenerationPrompt: false });
  } catch (error) {
    if (RivuletError.isInstance(error) && error.code === 'TEMPLATE_FAILED') return undefined;
    throw error;
  }
  const end = rendered.text.indexOf(mark);
  if (end < 0 || rendered.text.lastIndexOf(mark) !== end) return undefined;
  const prompt = rendered.text.slice(0, end);
  // Templates take white space before an answer away.
  const answer = text.trimStart();
  if (!prompt.endsWith(answer)) return undefined;
  const head = prompt.slice(0, prompt.length - answer.length);
  // Some templates open a block of thoughts in front of every answer, which hold their own end.
  const isOpen = reasoning !== undefined && opensReasoning(head, reasoning);
  const closing = isOpen ? closingOf(head, reasoning) : '';
  return {
    text: head + closing + answer,
    guards: rendered.guards
      .filter((offset) => offset < end)
      .map((offset) => (offset > head.length ? offset + closing.length : offset)),
  };
}

/**
 * The messages of a request whose last one is to be continued: an empty one is an answer that has not begun. Thoughts
 * alone are followed by their answer.
 * @throws {RivuletError} `INVALID_ARGUMENT` when the last message is no answer, or one that calls tools
 */
export function checkContinuation(messages: readonly ChatMessage[]): {
  readonly messages: readonly ChatMessage[];
  readonly continues: boolean;
} {
  const last = messages.at(-1);
  const text = textOf(last);
  if (last?.role !== 'assistant' || (last.toolCalls ?? []).length > 0 || text === undefined) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected the last message to be an answer of the assistant in text, to go on with it; found ${last === undefined ? 'none' : `one of the role "${last.role}"${last.role === 'assistant' ? ' that calls tools or holds more than text' : ''}`}. Leave continueFinalMessage away, or end the messages with the beginning of the answer.`,
      { details: { option: 'continueFinalMessage' } },
    );
  }
  const isEmpty = text.trim() === '' && (last.reasoning ?? '').trim() === '';
  return { messages: isEmpty ? messages.slice(0, -1) : messages, continues: !isEmpty };
}

/** Several parts of text are one by now. */
function textOf(message: ChatMessage | undefined): string | undefined {
  return typeof message?.content === 'string' ? message.content : undefined;
}

/** Letters and digits only: nothing that a template would escape, cut off or take for a marker. */
function unusedMark(texts: string): string {
  let mark = 'rivuletGoesOnHere';
  for (let index = 0; texts.includes(mark); index += 1) mark = `rivuletGoesOnHere${index}n`;
  return mark;
}
