import { StructuredTool } from '@langchain/core/tools';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import type { ChatLocalInput } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { plainCases } from './standard/plain-cases.ts';
import { toolCases } from './standard/tool-cases.ts';

describe('integration', () => {
  test('all 25 that run and the three that do not', () => {
    expect(new Set([...plainCases, ...toolCases].map(({ name }) => name)).size).toBe(28);
  });

  test.each([...plainCases, ...toolCases])('$name', async ({ script, run }) => {
    const model = scriptedModel({ outputs: script, contextLength: 100_000 });
    await run(new ChatLocal({ model, temperature: 0, maxTokens: 100 }));
    expect(model.requests).toHaveLength(script.length);
  });
});

class PersonTool extends StructuredTool {
  override name = 'PersonTool';
  override description = 'Get information about a person';
  override schema = z.object({ name: z.string().describe('The name of the person'), age: z.number() });

  override async _call({ name }: { name: string }): Promise<string> {
    return name;
  }
}

/** What the standard tests give to every constructor, whether the class knows it or not. */
const standardFields: object = {
  temperature: 0,
  maxTokens: 100,
  timeout: 60,
  stopSequences: [],
  maxRetries: 2,
};

function create(extra: object = {}): ChatLocal {
  const fields: ChatLocalInput = { model: '/nowhere/model.gguf' };
  return new ChatLocal({ ...fields, ...standardFields, ...extra });
}

describe('unit', () => {
  test('testChatModelInit', () => {
    expect(create()).toBeInstanceOf(ChatLocal);
  });

  test('testChatModelInitApiKey', () => {
    expect(create({ apiKey: 'test' })).toBeInstanceOf(ChatLocal);
  });

  test('testChatModelInitStreaming', () => {
    expect(create({ streaming: true })).toBeInstanceOf(ChatLocal);
  });

  test('testChatModelWithBindTools', () => {
    expect(create().bindTools([new PersonTool()])).toBeDefined();
  });

  test('testChatModelWithStructuredOutput', () => {
    expect(create().withStructuredOutput(new PersonTool().schema)).toBeDefined();
  });

  test('testStandardParams', () => {
    const params = create().getLsParams({});
    expect(Object.keys(params).toSorted()).toEqual([
      'ls_max_tokens',
      'ls_model_name',
      'ls_model_type',
      'ls_provider',
      'ls_stop',
      'ls_temperature',
    ]);
    expect(params).toMatchObject({ ls_model_type: 'chat', ls_temperature: 0, ls_max_tokens: 100 });
  });

  test('testInvokeThrowsWithAbortedSignal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(create().invoke('Hello', { signal })).rejects.toThrow('enough');
  });

  test('testStreamReturnsEarlyWithAbortedSignal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(create().stream('Hello', { signal }).then(collect)).rejects.toThrow('enough');
  });
});
