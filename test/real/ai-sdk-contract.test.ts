import { performance } from 'node:perf_hooks';

import { afterAll, describe, expect, test } from 'vitest';
import { local } from '../../providers/ai-sdk/index.ts';
import { local as localV3 } from '../../providers/ai-sdk/v3/index.ts';
import { describeLanguageModel } from '../contract/language-model.ts';
import type { ContractCase, ContractModel, LanguageModelSubject } from '../contract/language-model.ts';
import { describeEmbeddingModel } from '../contract/vector-models.ts';
import { defaultModel } from '../support/default-model.ts';

const settings = { contextLength: 8192 };
const model = local(defaultModel, settings);

afterAll(() => local.unload());

const tools = [
  {
    type: 'function' as const,
    name: 'find_river',
    description: 'Finds a river.',
    inputSchema: {
      type: 'object' as const,
      properties: {
        country: { enum: ['Egypt', 'Peru'] },
        count: { type: 'integer' as const, minimum: 1, maximum: 9 },
      },
      required: ['country', 'count'],
      additionalProperties: false,
    },
  },
];
const required = { tools, toolChoice: { type: 'required' as const }, temperature: 0 };

type Options = NonNullable<Awaited<ReturnType<ContractCase['open']>>['options']>;

// The grammar makes the shapes certain, whatever the small model would like to say.
const cases: readonly [string, Options, Omit<ContractCase, 'open'>][] = [
  ['text that is cut', { maxOutputTokens: 12, temperature: 0 }, { finish: 'length', content: ['text'] }],
  [
    'text by a regular expression',
    { temperature: 0, providerOptions: { local: { grammar: { regex: '(one|two), (three|four)' } } } },
    { finish: 'stop', content: ['text'] },
  ],
  [
    'JSON by a schema',
    {
      temperature: 0,
      responseFormat: {
        type: 'json',
        schema: {
          type: 'object',
          properties: { kind: { enum: ['river', 'sea'] }, deep: { type: 'boolean' } },
          required: ['kind', 'deep'],
          additionalProperties: false,
        },
      },
    },
    { finish: 'stop', content: ['text'] },
  ],
  [
    'a call that is required',
    { ...required, providerOptions: { local: { maxToolCalls: 1 } } },
    { finish: 'tool-calls', content: ['tool-call'] },
  ],
  [
    'a call of a named tool',
    {
      ...required,
      toolChoice: { type: 'tool', toolName: 'find_river' },
      providerOptions: { local: { maxToolCalls: 1 } },
    },
    { finish: 'tool-calls', content: ['tool-call'] },
  ],
  [
    'a call that is cut',
    { ...required, maxOutputTokens: 14, providerOptions: { local: { closeGrammar: false } } },
    { finish: 'length', content: [] },
  ],
  // What was required is there and valid, but the reason keeps anybody from running it.
  [
    'a call that is closed at the limit',
    { ...required, maxOutputTokens: 30 },
    { finish: 'length', content: ['tool-call'] },
  ],
  [
    'no call when there must be none',
    { tools, toolChoice: { type: 'none' }, maxOutputTokens: 8, temperature: 0 },
    { finish: 'length', content: ['text'] },
  ],
];

function subject(version: 'v3' | 'v4', tested: ContractModel): LanguageModelSubject {
  // Some 5000 tokens, seconds of work.
  const long = Array.from({ length: 1800 }, (_, index) => `w${index % 10}`).join(' ');
  return {
    version,
    cases: Object.fromEntries(
      cases.map(([name, options, rest]): [string, ContractCase] => [
        name,
        { ...rest, open: async () => ({ model: tested, options }) },
      ]),
    ),
    long: async () => ({
      model: tested,
      options: { providerOptions: { local: { ignoreEos: true } } },
    }),
    slowPrefill: async () => ({
      model: tested,
      options: {
        // Of its own for each call, so that the cache does not know it.
        prompt: [{ role: 'user', content: [{ type: 'text', text: `${performance.now()} ${long}` }] }],
      },
    }),
  };
}

describeLanguageModel('LanguageModelV4, SmolLM2', subject('v4', model));
describeLanguageModel(
  'LanguageModelV3, SmolLM2',
  subject('v3', localV3(defaultModel, settings) as unknown as ContractModel),
);
describeEmbeddingModel('EmbeddingModelV4, MiniLM', {
  version: 'v4',
  open: async () => local.embeddingModel('minilm'),
});

describe('what an abort takes', () => {
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Count.' }] }];

  /** Milliseconds from the abort to the end of the stream. */
  async function abortMs(): Promise<number> {
    const abort = new AbortController();
    const { stream } = await model.doStream({
      prompt,
      abortSignal: abort.signal,
      providerOptions: { local: { ignoreEos: true } },
    });
    let abortedAt = 0;
    try {
      for await (const { type } of stream as unknown as AsyncIterable<{ type: string }>) {
        if (type !== 'text-delta' || abortedAt > 0) continue;
        abortedAt = performance.now();
        abort.abort();
      }
    } catch {
      return performance.now() - abortedAt;
    }
    throw new Error('The stream ended without its abort.');
  }

  test('is less than a tenth of a second', async () => {
    const times: number[] = [];
    for (let run = 0; run < 5; run += 1) times.push(await abortMs());
    times.sort((a, b) => a - b);
    // The middle one: a machine that is busy with other things delays single ones.
    expect(times[2]).toBeLessThan(100);
  });
});
