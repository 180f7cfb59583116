import { RivuletError } from '../../errors.ts';
import type { ChatMessage, ToolDefinition } from '../messages.ts';
import type { ChatTemplate, TemplateInput } from '../template.ts';
import type { WrittenCall } from './write-calls.ts';

/** Words that no template contains. */
export const probeText = 'rivulet probe text';
export const probeResult = 'rivulet probe result';
export const probeSystem = 'rivulet probe system';

/** A call that shows where a template puts names, strings and other values. */
export const probeCall: WrittenCall = {
  name: 'rivulet_probe',
  arguments: { probe_text: probeText, probe_count: 1234567 },
  id: 'call00000',
};

export const probeTool: ToolDefinition = {
  name: probeCall.name,
  description: 'A probe.',
  parameters: {
    type: 'object',
    properties: {
      probe_text: { type: 'string', description: 'A text.' },
      probe_count: { type: 'integer', description: 'A number.' },
    },
    required: ['probe_text', 'probe_count'],
  },
};

const user: ChatMessage = { role: 'user', content: 'Hello' };
const caller: ChatMessage = {
  role: 'assistant',
  content: '',
  toolCalls: [{ id: 'call00000', name: probeCall.name, arguments: probeCall.arguments }],
};
const callers: ChatMessage = {
  ...caller,
  toolCalls: ['call00000', 'call00001'].map((id) => ({
    id,
    name: probeCall.name,
    arguments: probeCall.arguments,
  })),
};
const result: ChatMessage = {
  role: 'tool',
  content: probeResult,
  toolCallId: 'call00000',
  toolName: probeCall.name,
};

/** What a template makes of some conversations; undefined where it refuses or fails. */
export interface TemplateProbes {
  /** Up to where the model begins to write. */
  readonly prompt: string | undefined;
  /** A call of a tool as the last message. */
  readonly call: string | undefined;
  readonly result: string | undefined;
  /** Two calls in one message. */
  readonly calls: string | undefined;
  /** A text where the call was, and words of the user behind it. */
  readonly text: string | undefined;
  readonly system: string | undefined;
}

export function probeTemplate(template: ChatTemplate): TemplateProbes {
  const render = (
    messages: readonly ChatMessage[],
    others: Partial<TemplateInput> = {},
  ): string | undefined => {
    try {
      return template.render({ messages, tools: [probeTool], addGenerationPrompt: false, ...others }).text;
    } catch (error) {
      if (RivuletError.isInstance(error) && error.code === 'TEMPLATE_FAILED') return undefined;
      throw error;
    }
  };
  return {
    prompt: render([user], { addGenerationPrompt: true }),
    call: render([user, caller]),
    calls: render([user, callers]),
    result: render([user, caller, result]),
    text: render([user, { role: 'assistant', content: probeText }, user]),
    system: render([{ role: 'system', content: probeSystem }, user]),
  };
}
