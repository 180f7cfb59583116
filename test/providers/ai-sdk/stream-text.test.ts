import { generateText, stepCountIs, streamText, tool } from 'ai';
import { expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../../providers/ai-sdk/index.ts';
import { RivuletError } from '../../../src/errors.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

test('streamText: text, reasoning, usage, finish reason, metadata', async () => {
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'six times ', 'seven', '</think>', '\n\n', 'It is ', '42.']],
  });
  const result = streamText({ model: local(model), instructions: 'Be brief.', prompt: '6 * 7?' });
  const deltas: string[] = [];
  for await (const delta of result.textStream) deltas.push(delta);
  expect(deltas).toEqual(['It is ', '42.']);
  const step = await result.finalStep;
  expect(step.reasoningText).toBe('six times seven');
  expect(step.text).toBe('It is 42.');
  expect(step.finishReason).toBe('stop');
  expect(step.rawFinishReason).toBe('eos');
  expect(step.usage.outputTokens).toBe(7);
  expect(step.usage.totalTokens).toBe(7 + (step.usage.inputTokens ?? 0));
  expect(step.response.modelId).toBe('scripted');
  expect(step.providerMetadata).toMatchObject({ local: { engine: { dialect: 'portable' } } });
  expect(model.requests[0]?.prompt).toBe(
    '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n6 * 7?<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('generateText: a conversation reuses its prefix', async () => {
  const model = scriptedModel({ outputs: [['Hello!'], ['Fine.']] });
  const first = await generateText({ model: local(model), prompt: 'Hi' });
  expect(first.text).toBe('Hello!');
  const second = await generateText({
    model: local(model),
    messages: [
      { role: 'user', content: 'Hi' },
      ...first.responseMessages,
      { role: 'user', content: 'How are you?' },
    ],
  });
  expect(second.text).toBe('Fine.');
  expect(second.usage.inputTokenDetails.cacheReadTokens).toBe(first.usage.inputTokens);
  expect(second.usage.inputTokenDetails.noCacheTokens).toBe(
    (second.usage.inputTokens ?? 0) - (first.usage.inputTokens ?? 0),
  );
});

test('all sampling settings arrive at the engine', async () => {
  const model = scriptedModel({ outputs: [['a']] });
  await generateText({
    model: local(model),
    prompt: 'Hi',
    maxOutputTokens: 9,
    temperature: 0.3,
    topP: 0.8,
    topK: 5,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 11,
    stopSequences: ['END'],
    providerOptions: { local: { minP: 0.05, repeatPenalty: 1.2 } },
  });
  expect(model.requests[0]?.options).toMatchObject({
    maxTokens: 9,
    temperature: 0.3,
    topP: 0.8,
    topK: 5,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 11,
    stop: ['END'],
    minP: 0.05,
    repeatPenalty: 1.2,
  });
});

test('a tool is called, run, and its result comes back to the model', async () => {
  const model = scriptedModel({
    outputs: [
      [
        'Let me ',
        'see.\n',
        '<tool_',
        'call>\n{"name": "add-up", "argu',
        'ments": {"a": 1, ',
        '"b": 2}}\n</tool_call>',
      ],
      ['It is 3.'],
    ],
  });
  const inputs: string[] = [];
  const result = streamText({
    model: local(model),
    prompt: 'What is 1 + 2?',
    tools: {
      'add-up': tool({
        inputSchema: z.object({ a: z.number(), b: z.number() }),
        execute: async ({ a, b }) => a + b,
        onInputDelta: ({ inputTextDelta }) => {
          inputs.push(inputTextDelta);
        },
      }),
    },
    stopWhen: stepCountIs(3),
  });
  const [first, second] = await result.steps;
  expect(first?.text).toBe('Let me see.');
  expect(first?.finishReason).toBe('tool-calls');
  expect(first?.toolCalls).toMatchObject([{ toolName: 'add-up', input: { a: 1, b: 2 } }]);
  expect(inputs).toEqual(['{"a":1', ',"b":2}']);
  expect(second?.text).toBe('It is 3.');
  expect(model.requests[1]?.prompt).toContain('<tool_response>\n3\n</tool_response>');
  expect(first?.warnings ?? []).toEqual([]);
});

test('a call that is cut is no call', async () => {
  const result = await generateText({
    model: local(
      scriptedModel({
        outputs: [['<tool_call>\n{"name": "add", "arguments": {"a": ', '1', '}}\n</tool_call>']],
      }),
    ),
    prompt: 'Hi',
    maxOutputTokens: 2,
    tools: { add: tool({ inputSchema: z.object({ a: z.number() }), execute: async () => 1 }) },
  });
  expect(result.finishReason).toBe('length');
  expect(result.toolCalls).toEqual([]);
});

test('probabilities of a whole part are on it, streamed or not', async () => {
  const outputs = [['<think>', 'a', 'b', '</think>', 'c', 'd']];
  const options = { prompt: 'Hi', providerOptions: { local: { logprobs: 0 } } };
  const open = () => local(scriptedModel({ chatTemplate: thinkTemplate, outputs }));
  const whole = await generateText({ model: open(), ...options });
  const streamed = await streamText({ model: open(), ...options }).content;
  expect(whole.content.map(({ type }) => type)).toEqual(['reasoning', 'text']);
  expect(streamed).toEqual(whole.content);
  expect(JSON.stringify(streamed.at(-1))).toMatch(/"c".*"d"/u);
});

test('no warnings for a plain call', async () => {
  const result = await generateText({
    model: local(scriptedModel({ outputs: [['a']] })),
    prompt: 'Hi',
    toolChoice: 'auto',
  });
  expect(result.warnings ?? []).toEqual([]);
});

test('an abort ends the text stream and the engine', async () => {
  const model = scriptedModel({ outputs: [['a', 'b', 'c']], delayMs: 20 });
  const abort = new AbortController();
  let aborts = 0;
  const result = streamText({
    model: local(model),
    prompt: 'Hi',
    abortSignal: abort.signal,
    onAbort: () => {
      aborts += 1;
    },
  });
  const deltas: string[] = [];
  for await (const delta of result.textStream) {
    deltas.push(delta);
    abort.abort();
  }
  expect(deltas).toEqual(['a']);
  expect(aborts).toBe(1);
  await expect.poll(() => model.requests[0]?.state).toBe('left');
});

test('a failure midway is an error part, and what was said before stays', async () => {
  const failure = new RivuletError('ENGINE_FAILED', 'It broke.');
  const model = scriptedModel({ outputs: [['Hel', failure], ['fine']] });
  const errors: unknown[] = [];
  const result = streamText({
    model: local(model),
    prompt: 'Hi',
    onError: ({ error }) => {
      errors.push(error);
    },
  });
  const parts = await collect(result.stream);
  expect(parts.map(({ type }) => type)).toContain('error');
  expect(errors).toEqual([failure]);
  expect(await result.finishReason).toBe('error');
  expect(await result.text).toBe('Hel');

  const next = await generateText({ model: local(model), prompt: 'Hi' });
  expect(next.text).toBe('fine');
});

test('a history with tool calls is rendered', async () => {
  const chatTemplate = `{%- for message in messages -%}
[{{ message.role }}{% for call in message.tool_calls or [] %} {{ call.function.name }}({{ call.function.arguments | tojson }}){% endfor %}]{{ message.content }}
{%- endfor -%}`;
  const model = scriptedModel({ chatTemplate, outputs: [['Cold.']] });
  await generateText({
    model: local(model),
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [{ type: 'tool-call', toolCallId: '1', toolName: 'weather', input: { city: 'Oslo' } }],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: '1',
            toolName: 'weather',
            output: { type: 'text', value: '3°' },
          },
        ],
      },
    ],
  });
  expect(model.requests[0]?.prompt).toBe('[user]Weather?[assistant weather({"city": "Oslo"})][tool]3°');
});
