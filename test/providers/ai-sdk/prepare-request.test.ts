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
  });
});

test.each([
  { minP: 2 },
  { logprobs: 101 },
  { logitBias: { hello: 1 } },
  { samplers: ['mirostat'] },
  { unknownOption: true },
])('wrong provider options %j', async (local) => {
  await expect(prepareRequest({ prompt, providerOptions: { local } })).rejects.toThrow(InvalidArgumentError);
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

test('tools, tool choice and response format go to the model', async () => {
  const { request, warnings } = await prepareRequest({
    prompt,
    tools: [
      { type: 'function', name: 'add', description: 'Adds.', inputSchema: { type: 'object' }, strict: true },
      { type: 'provider', id: 'other.search', name: 'search', args: {} },
    ],
    toolChoice: { type: 'tool', toolName: 'add' },
    responseFormat: { type: 'json', schema: { type: 'object' } },
  });
  expect(request).toStrictEqual({
    messages,
    tools: [{ name: 'add', description: 'Adds.', parameters: { type: 'object' }, strict: true }],
    toolChoice: { name: 'add' },
    responseFormat: { type: 'json', schema: { type: 'object' } },
  });
  expect(warnings).toEqual([{ type: 'unsupported', feature: 'provider-defined tool other.search' }]);
});

test('a trailing assistant message is announced', async () => {
  const { warnings } = await prepareRequest({
    prompt: [...prompt, { role: 'assistant', content: [{ type: 'text', text: 'Sure' }] }],
  });
  expect(warnings).toMatchObject([{ type: 'other' }]);
});
