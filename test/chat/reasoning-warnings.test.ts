import { expect, it } from 'vitest';

import { knownThoughts } from '../../src/chat/formats/detect-output.ts';
import { reasoningWarnings } from '../../src/chat/reasoning-warnings.ts';

const tags = "{{ '<think></think>' if not enable_thinking }}";
const levels = "{{ reasoning_effort }}{{ '<think></think>' }}";
/** gpt-oss: its answers are divided into channels. */
const channels = "{{ '<|start|>assistant<|channel|>final<|message|>' }}{{ reasoning_effort }}";

it.each([
  [undefined, tags, []],
  ['off', tags, []],
  ['low', tags, [/"low" only switches it on/]],
  ['medium', tags, []],
  ['high', tags, [/"high" only switches it on/]],
  [{ maxTokens: 5 }, tags, []],
  ['low', levels, []],
  ['high', levels, []],
  ['high', channels, []],
  ['off', channels, [/cannot be kept from thinking/]],
  ['high', 'a template without thoughts', []],
  ['off', 'a template without thoughts', []],
] as const)('%j and %s', (effort, source, messages) => {
  expect(reasoningWarnings(effort, source)).toEqual(
    messages.map((message) => ({
      type: 'compatibility',
      feature: 'reasoning',
      message: expect.stringMatching(message),
    })),
  );
});

it('models whose thoughts have no tags of their own think, too', () => {
  expect(knownThoughts(channels)).toEqual({
    open: '<|channel|>analysis<|message|>',
    close: '<|end|><|start|>assistant',
  });
  expect(knownThoughts(tags)).toEqual({ open: '<think>', close: '</think>' });
  expect(knownThoughts('{{ messages }}')).toBeUndefined();
});
