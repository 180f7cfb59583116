import { addInstructions } from './described-tools.ts';
import { opensReasoning } from './reasoning.ts';
import type { ReasoningFormat } from './reasoning.ts';
import type { ChatTemplate, RenderedPrompt, TemplateInput } from './template.ts';
import type { OutputFormat } from './tool-format.ts';

/** What some models look for in the words of the system. */
const switchText = '/no_think';

/**
 * Renders a conversation so that the model answers without thinking: by the template's own switch, by the words it
 * looks for, or by a block of thoughts that is closed before the model begins.
 */
export function renderWithoutReasoning(
  template: ChatTemplate,
  input: TemplateInput,
  { reasoning, channels }: OutputFormat,
): RenderedPrompt {
  const rendered = template.render(input);
  if (reasoning === undefined || channels !== undefined || input.addGenerationPrompt === false)
    return rendered;
  const { open, close } = reasoning;
  if (rendered.text.trimEnd().endsWith(close)) return rendered;
  if (template.source.includes(switchText)) {
    const messages = addInstructions(input.messages, switchText, true);
    const switched = template.render({ ...input, messages });
    if (!opensReasoning(switched.text, reasoning)) return switched;
  }
  if (opensReasoning(rendered.text, reasoning)) {
    return { ...rendered, text: rendered.text + closingOf(rendered.text, reasoning) };
  }
  if (!template.source.includes(open)) return rendered;
  // A template that renders the same for much thinking has no switch.
  if (template.render({ ...input, reasoning: 'high' }).text !== rendered.text) return rendered;
  const opened = isOnLines(reasoning) ? `${open}\n` : open;
  return { ...rendered, text: `${rendered.text}${opened}${closingOf(opened, reasoning)}` };
}

/** What ends a block of thoughts that a text has just opened: an empty one, as models write it. */
export function closingOf(opened: string, reasoning: ReasoningFormat): string {
  const { close } = reasoning;
  return isOnLines(reasoning) && opened.endsWith('\n') ? `\n${close}\n\n` : close;
}

/** Whether the markers stand on lines of their own. */
function isOnLines({ open }: ReasoningFormat): boolean {
  return open.startsWith('<think>');
}
