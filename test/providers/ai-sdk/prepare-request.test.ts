import { InvalidArgumentError } from '@ai-sdk/provider';
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { expect, test } from 'vitest';
import { prepareRequest } from '../../../providers/ai-sdk/prepare-request.ts';

const prompt: LanguageModelV4CallOptions['prompt'] = [
  { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
];
const messages = [{ role: 'user', content: 'Hi' }];

test('what is not given stays away', async () => {
  const prepared = await prepareRequest({
    prompt,
    toolChoice: { type: 'auto' },
    responseFormat: { type: 'text' },
    reasoning: 'provider-default',
    providerOptions: { other: { x: 1 } },
  });
  expect(prepared).toStrictEqual({ request: { messages }, warnings: [] });
});

test('all settings', async () => {
  const { request, warnings } = await prepareRequest({
    prompt,
    maxOutputTokens: 5,
    temperature: 0.5,
    topP: 0.9,
    topK: 10,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 7,
    stopSequences: ['.'],
    providerOptions: {
      local: {
        minP: 0.1,
        typicalP: 0.7,
        repeatPenalty: 1.1,
        repeatLastN: -1,
        ignoreEos: true,
        logitBias: { '3': -1.5, '4': false },
        samplers: ['top-k', 'temperature'],
        logprobs: 2,
        templateVariables: { date: 'today' },
        maxToolCalls: 3,
        closeGrammar: false,
        cache: false,
        priority: 2,
      },
    },
  });
  expect(warnings).toEqual([]);
  expect(request).toStrictEqual({
    messages,
    maxTokens: 5,
    temperature: 0.5,
    topP: 0.9,
    topK: 10,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 7,
    stop: ['.'],
    minP: 0.1,
    typicalP: 0.7,
    repeatPenalty: 1.1,
    repeatLastN: -1,
    ignoreEos: true,
    logitBias: new Map([
      [3, -1.5],
      [4, Number.NEGATIVE_INFINITY],
    ]),
    samplers: ['top-k', 'temperature'],
    logprobs: 2,
    templateVariables: { date: 'today' },
    maxToolCalls: 3,
    closeGrammar: false,
    cache: false,
    priority: 2,
  });
});

test.each([
  { minP: 2 },
  { logprobs: 101 },
  { logitBias: { hello: 1 } },
  { samplers: ['mirostat'] },
  { unknownOption: true },
  { reasoning: 'off' },
  { reasoning: { maxTokens: -1 } },
  { reasoning: { tokens: 5 } },
  { grammar: { json: 'object' } },
  { grammar: { json: {}, gbnf: '' } },
  { cache: 'no' },
  { priority: '1' },
  { injectJsonSchema: 1 },
  { parallelToolCalls: false, maxToolCalls: 2 },
])('wrong provider options %j', async (local) => {
  await expect(prepareRequest({ prompt, providerOptions: { local } })).rejects.toThrow(InvalidArgumentError);
});

test.each([
  [{ minP: 'high' }, 'minP: Invalid input: expected number, received string'],
  [{ foo: 1, samplers: ['top-k', 'x'] }, 'samplers.1: '],
  [{ foo: 1 }, 'Unrecognized key: "foo"'],
  [
    { reasoning: { maxTokens: 'many' } },
    'reasoning.maxTokens: Invalid input: expected number, received string',
  ],
  [{ reasoning: 5 }, 'reasoning: Invalid input'],
  [{ grammar: { gbnf: 1 } }, 'grammar.gbnf: Invalid input: expected string, received number'],
  [{ grammar: { regex: '', gbnf: '' } }, 'grammar: '],
  [{ logitBias: { hello: 1 } }, 'logitBias.hello: '],
])('what is wrong with %j is told with its path', async (local, message) => {
  await expect(prepareRequest({ prompt, providerOptions: { local } })).rejects.toThrow(message);
});

test.each([
  ['none', 'off', []],
  ['low', 'low', []],
  ['medium', 'medium', []],
  ['high', 'high', []],
  ['minimal', 'low', ['compatibility']],
  ['xhigh', 'high', ['compatibility']],
] as const)('reasoning %s becomes %s', async (reasoning, level, warningTypes) => {
  const { request, warnings } = await prepareRequest({ prompt, reasoning });
  expect(request.reasoning).toBe(level);
  expect(warnings.map(({ type }) => type)).toEqual(warningTypes);
});

test.each([
  [{ reasoning: 'none' }, 'xhigh', 'off'],
  [{ reasoning: 'high' }, 'none', 'high'],
  [{ reasoning: { maxTokens: 100 } }, 'minimal', { maxTokens: 100 }],
  [{ reasoning: { maxTokens: 0 } }, 'provider-default', { maxTokens: 0 }],
] as const)('%j goes over the level %s, without a warning', async (local, reasoning, expected) => {
  const { request, warnings } = await prepareRequest({ prompt, reasoning, providerOptions: { local } });
  expect(request.reasoning).toEqual(expected);
  expect(warnings).toEqual([]);
});

test.each([
  [{ parallelToolCalls: false }, 1],
  [{ parallelToolCalls: false, maxToolCalls: 1 }, 1],
  [{ parallelToolCalls: true, maxToolCalls: 4 }, 4],
  [{ parallelToolCalls: true }, undefined],
])('%j allows %s calls', async (local, maxToolCalls) => {
  const { request } = await prepareRequest({ prompt, providerOptions: { local } });
  expect(request.maxToolCalls).toBe(maxToolCalls);
  expect(request).not.toHaveProperty('parallelToolCalls');
});

test.each([true, false])('the schema in the prompt: %s', async (injectJsonSchema) => {
  const schema = { type: 'object' } as const;
  const { request } = await prepareRequest({
    prompt,
    responseFormat: { type: 'json', schema },
    providerOptions: { local: { injectJsonSchema } },
  });
  expect(request).toStrictEqual({
    messages,
    responseFormat: { type: 'json', schema, inPrompt: injectJsonSchema },
  });
});

test.each([
  { json: { type: 'integer' } },
  { gbnf: 'root ::= "x"' },
  { ebnf: 'root ::= "x"' },
  { regex: 'x+' },
])('the grammar %j', async (grammar) => {
  const { request } = await prepareRequest({ prompt, providerOptions: { local: { grammar } } });
  expect(request).toStrictEqual({ messages, grammar });
});

test('tools, tool choice and response format go to the model', async () => {
  const { request, warnings } = await prepareRequest({
    prompt,
    tools: [
      { type: 'function', name: 'add', description: 'Adds.', inputSchema: { type: 'object' }, strict: true },
      {
        type: 'function',
        name: 'sub',
        inputSchema: { type: 'object' },
        inputExamples: [{ input: { a: 1 } }],
      },
      { type: 'provider', id: 'other.search', name: 'search', args: {} },
    ],
    toolChoice: { type: 'tool', toolName: 'add' },
    responseFormat: { type: 'json', schema: { type: 'object' }, name: 'sum', description: 'A sum.' },
  });
  expect(request).toStrictEqual({
    messages,
    tools: [
      { name: 'add', description: 'Adds.', parameters: { type: 'object' }, strict: true },
      { name: 'sub', parameters: { type: 'object' } },
    ],
    toolChoice: { name: 'add' },
    responseFormat: { type: 'json', schema: { type: 'object' }, name: 'sum', description: 'A sum.' },
  });
  expect(warnings).toEqual([
    {
      type: 'unsupported',
      feature: 'input examples of tool sub',
      details: 'Wrap the model with addToolInputExamplesMiddleware: it puts them into the description.',
    },
    { type: 'unsupported', feature: 'provider-defined tool other.search' },
  ]);
});

test('a trailing assistant message is to be continued unless it calls tools', async () => {
  const text = { type: 'text', text: 'Sure' } as const;
  const reasoning = { type: 'reasoning', text: 'Hm' } as const;
  const call = { type: 'tool-call', toolCallId: '1', toolName: 'add', input: {} } as const;
  const prepareWith = (...content: (typeof text | typeof reasoning | typeof call)[]) =>
    prepareRequest({ prompt: [...prompt, { role: 'assistant', content }] });
  for (const content of [[text], [reasoning, text], [reasoning], []]) {
    const { request, warnings } = await prepareWith(...content);
    expect([request.continueFinalMessage, warnings]).toEqual([true, []]);
  }
  for (const content of [[call], [text, call]]) {
    const { request, warnings } = await prepareWith(...content);
    expect(request.continueFinalMessage).toBeUndefined();
    expect(warnings).toMatchObject([{ type: 'other' }]);
  }
});
