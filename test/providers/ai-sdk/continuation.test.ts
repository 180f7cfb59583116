import { generateText, Output, streamText, tool } from 'ai';
import { expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../../providers/ai-sdk/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { thinkTemplate } from '../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const messages = [
  { role: 'user', content: 'Count to five.' },
  { role: 'assistant', content: '1, 2,' },
] as const;
const opening = '<|im_start|>user\nCount to five.<|im_end|>\n<|im_start|>assistant\n1, 2,';

test('an answer that has begun goes on; only what is new comes out, its first space too', async () => {
  const scripted = scriptedModel({
    outputs: [
      [' 3,', ' 4, 5'],
      [' 3,', ' 4, 5'],
    ],
  });
  const result = await generateText({ model: local(scripted), messages: [...messages] });
  expect([result.text, result.warnings]).toEqual([' 3, 4, 5', []]);
  const streamed = streamText({ model: local(scripted), messages: [...messages] });
  expect(await streamed.text).toBe(' 3, 4, 5');
  expect(scripted.requests.map(({ prompt }) => prompt)).toEqual([opening, opening]);
  expect(result.usage.inputTokens).toBe(scripted.requests[0]?.promptTokens);
});

test('an empty answer is one that has not begun', async () => {
  const scripted = scriptedModel({ outputs: [['1']] });
  const result = await generateText({
    model: local(scripted),
    messages: [messages[0], { role: 'assistant', content: '' }],
  });
  expect(result.warnings).toEqual([]);
  expect(scripted.requests[0]?.prompt).toBe(
    '<|im_start|>user\nCount to five.<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('a template that changes answers gives a warning, and the model begins a new turn', async () => {
  const chatTemplate =
    '{% for m in messages %}<|{{ m.role }}|>{{ m.content | upper }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
  const scripted = scriptedModel({ chatTemplate, outputs: [['3']] });
  const result = await generateText({ model: local(scripted), messages: [...messages] });
  expect(result.text).toBe('3');
  expect(result.warnings).toMatchObject([{ type: 'unsupported', feature: 'continueFinalMessage' }]);
  expect(scripted.requests[0]?.prompt).toBe('<|user|>COUNT TO FIVE.<|assistant|>1, 2,<|assistant|>');
});

test('a model that thinks goes on without new thoughts', async () => {
  const scripted = scriptedModel({ chatTemplate: thinkTemplate, outputs: [[' 3']] });
  const result = await generateText({ model: local(scripted), messages: [...messages], reasoning: 'high' });
  expect([result.text, result.finalStep.reasoningText]).toEqual([' 3', undefined]);
  expect(scripted.requests[0]?.prompt.endsWith('1, 2,')).toBe(true);
});

test('calls of tools and JSON may follow', async () => {
  const call = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>';
  const scripted = scriptedModel({
    outputs: [
      [' then ', call],
      ['{"n":', ' 3}'],
    ],
  });
  const add = tool({ inputSchema: z.object({ a: z.number() }), execute: ({ a }) => a + 1 });
  const called = await generateText({ model: local(scripted), messages: [...messages], tools: { add } });
  expect(called.text).toBe(' then');
  expect(called.toolCalls).toMatchObject([{ toolName: 'add', input: { a: 1 } }]);
  const held = await generateText({
    model: local(scripted),
    messages: [...messages],
    output: Output.object({ schema: z.object({ n: z.number() }) }),
  });
  expect(held.output).toEqual({ n: 3 });
  expect(scripted.requests[1]?.prompt.endsWith('1, 2,')).toBe(true);
});
