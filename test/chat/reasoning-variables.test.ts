import { expect, it } from 'vitest';

import { reasoningVariables } from '../../src/chat/reasoning-variables.ts';
import { chatTemplate } from '../support/chat-template.ts';

it('nothing is set unless asked for', () => {
  expect(reasoningVariables(undefined, '')).toEqual({});
});

it('the switches that templates know', () => {
  expect(reasoningVariables('off', '')).toMatchObject({
    enable_thinking: false,
    thinking: false,
    thinking_mode: 'disabled',
    thinking_budget: 0,
  });
  expect(reasoningVariables({ maxTokens: 512 }, '')).toMatchObject({
    enable_thinking: true,
    thinking_budget: 512,
  });
  expect(reasoningVariables('high', '')).toMatchObject({ enable_thinking: true, reasoning_effort: 'high' });
});

it.each([
  ['off', "reasoning_effort not in ['high', 'low', 'no_think']", 'no_think'],
  ['off', 'reasoning_effort | lower == "none"', 'none'],
  ['off', 'reasoning_effort in ["low", "minimal"]', 'minimal'],
  ['off', 'reasoning_effort', 'low'],
  ['medium', "reasoning_effort not in ['high', 'low', 'no_think']", 'high'],
  ['medium', 'set reasoning_effort = "medium"', 'medium'],
  ['low', "reasoning_effort not in ['high', 'low', 'no_think']", 'low'],
] as const)('%s in %s is %s', (effort, source, word) => {
  expect(reasoningVariables(effort, source)).toMatchObject({ reasoning_effort: word });
});

it('reaches the template', () => {
  const template = chatTemplate("{{ '<think>\n' if enable_thinking else '<think></think>' }}");
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(template.render({ messages, reasoning: 'off' }).text).toBe('<think></think>');
  expect(template.render({ messages, reasoning: 'low' }).text).toBe('<think>\n');
});
