import { expect, it } from 'vitest';

import { detectOutput } from '../../src/chat/formats/detect-output.ts';
import { renderWithoutReasoning } from '../../src/chat/switch-off-reasoning.ts';
import { createTemplate } from '../support/tool-call-cases.ts';

const said = "{{ messages[0].content if messages[0].role == 'system' }}|";

it.each([
  [
    'its own switch',
    `${said}{% if enable_thinking %}<think>{% else %}<think></think>{% endif %}`,
    '|<think></think>',
  ],
  ['a block that the template always opens', `${said}{{ '<think>\\n' }}`, '|<think>\n\n</think>\n\n'],
  ['one without a line end', `${said}<think>`, '|<think></think>'],
  ['a block that the model would open', `${said}{# <think> #}go`, '|go<think>\n\n</think>\n\n'],
  ['a switch that is off by itself', `${said}{% if thinking %}Think in <think>.{% endif %}go`, '|go'],
  [
    'words of the system',
    `${said}<think>{% if '/no_think' in messages[0].content %}</think>{% endif %}`,
    '/no_think|<think></think>',
  ],
  ['a model that does not think', `${said}go`, '|go'],
])('%s', (_, source, expected) => {
  const template = createTemplate(source);
  const input = { messages: [{ role: 'user', content: 'Hi' }], reasoning: 'off' as const };
  expect(renderWithoutReasoning(template, input, detectOutput(source)).text).toBe(expected);
});

it('a prompt without the opening of a turn is left alone', () => {
  const source = '<think>';
  const input = { messages: [], reasoning: 'off' as const, addGenerationPrompt: false };
  expect(renderWithoutReasoning(createTemplate(source), input, detectOutput(source)).text).toBe('<think>');
});
