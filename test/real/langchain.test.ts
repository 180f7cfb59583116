import { HumanMessage } from '@langchain/core/messages';
import { createAgent } from 'langchain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LocalDecisionModel } from '../../providers/langchain/decisions.ts';
import { ChatLocal, LocalLLM, LocalTextSplitter } from '../../providers/langchain/index.ts';
import { plainCases } from '../providers/langchain/standard/plain-cases.ts';
import { adder, expectUsage, joined } from '../providers/langchain/standard/standard-case.ts';
import { toolCases } from '../providers/langchain/standard/tool-cases.ts';
import { defaultModelPath } from '../support/default-model.ts';

let path: string;
beforeAll(async () => {
  path = await defaultModelPath();
});
afterAll(() => create().dispose());

function create(extra: object = {}): ChatLocal {
  return new ChatLocal({ model: path, contextLength: 2048, temperature: 0, maxTokens: 100, ...extra });
}

describe("LangChain's standard tests", () => {
  const able = [...plainCases, ...toolCases].filter(({ need }) => need !== 'choice');

  test.each(able)('$name', async ({ run }) => {
    await run(create());
  });

  // What the tiny model would not choose by itself it does when it must.
  test('tools are called when they have to be, in every way', async () => {
    const bound = create().bindTools([adder], { tool_choice: 'any', parallel_tool_calls: false });
    const question = 'Calculate the sum of 1 and 2 using the math_addition tool.';
    const invoked = await bound.invoke(question);
    const streamed = await joined(await bound.stream(question));
    const assembled = await create().streamEvents(question, {
      tools: [adder],
      tool_choice: 'any',
      parallel_tool_calls: false,
    });
    for (const message of [invoked, streamed, assembled]) {
      expect(message.tool_calls).toMatchObject([
        { name: 'math_addition', args: { a: expect.any(Number), b: expect.any(Number) } },
      ]);
      expect(message.response_metadata).toMatchObject({ finish_reason: 'tool_use' });
      expectUsage(message as never);
    }
    expect(streamed.tool_calls?.[0]?.args).toEqual(invoked.tool_calls?.[0]?.args);
    expect(assembled.tool_calls?.[0]?.args).toEqual(invoked.tool_calls?.[0]?.args);
  });
});

test.each(['functionCalling', 'jsonSchema', 'jsonMode'] as const)(
  'structured output by %s',
  async (method) => {
    const schema = z.object({ name: z.string().max(20), age: z.number().int().min(0).max(150) });
    const structured = create().withStructuredOutput(schema, { method, includeRaw: true });
    const { raw, parsed } = await structured.invoke('Ann is 36 years old. Answer with JSON: name and age.');
    // Any JSON satisfies the third method.
    if (method === 'jsonMode') expect(() => JSON.parse(raw.text)).not.toThrow();
    else expect(schema.safeParse(parsed).error).toBeUndefined();
  },
);

test('tools and a format at once: a call or JSON by the schema, whatever the model would say', async () => {
  const schema = z.object({ sum: z.number().int().min(0).max(99) });
  const { tool_calls: calls = [], text } = await create().invoke('What is 1 + 2?', {
    tools: [adder],
    response_format: { type: 'json_schema', json_schema: { schema: z.toJSONSchema(schema) } },
  });
  if (calls.length > 0) expect(calls[0]?.name).toBe('math_addition');
  else expect(schema.safeParse(JSON.parse(text)).error).toBeUndefined();

  const agent = createAgent({ model: create(), tools: [], responseFormat: schema as never });
  const { structuredResponse } = (await agent.invoke({
    messages: [new HumanMessage('What is 1 + 2?')],
  })) as { structuredResponse?: unknown };
  expect(schema.safeParse(structuredResponse).error).toBeUndefined();
});

test('500 instances share one engine, and dispose frees it', async () => {
  const engines = (): number => {
    const registry = Reflect.get(globalThis, Symbol.for('rivulet.runtime')) as ReadonlyMap<string, unknown>;
    return [...registry.keys()].filter((key) => key.includes(path)).length;
  };
  const before = process.memoryUsage.rss();
  const instances = Array.from({ length: 500 }, () => create());
  await Promise.all(instances.slice(0, 4).map((instance) => instance.invoke('Hi', { maxTokens: 2 })));
  await Promise.all(instances.map((instance) => instance.preload()));
  for (const { profile } of instances) expect(profile.maxInputTokens).toBe(2048);
  expect(engines()).toBe(1);
  // One engine may be new here; 500 instances themselves are next to nothing.
  expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  await instances[0]?.dispose();
  expect(engines()).toBe(0);
  // Others that shared it are not cut off: their next request loads it again.
  expect((await instances[1]?.invoke('Hi', { maxTokens: 2 }))?.text).not.toBe('');
  expect(engines()).toBe(1);
});

test('completion, splitting and decisions', async () => {
  const llm = new LocalLLM({ model: path, contextLength: 2048, temperature: 0, maxTokens: 6 });
  expect(await llm.invoke('The capital of France is')).toContain('Paris');
  expect(await llm.invoke('A year: ', { grammar: { regex: '[0-9]{4}' } })).toMatch(/^\d{4}$/);

  const splitter = new LocalTextSplitter({ model: path, chunkSize: 24 });
  const text = 'Rivers carry water from the mountains to the sea. '.repeat(20);
  const chunks = await splitter.splitText(text);
  for (const chunk of chunks) expect(await llm.getNumTokens(chunk)).toBeLessThanOrEqual(24);
  expect(chunks.join(' ')).toBe(text.trim());

  const decisions = new LocalDecisionModel({ model: path, contextLength: 2048 });
  const { answers, usage_metadata: usage } = await decisions.invoke({
    state: { messages: [new HumanMessage('The app crashes whenever I open it. Please repair it!')] },
    questions: {
      isComplaint: { type: 'noul', instructions: 'Is this a complaint?' },
      team: {
        type: 'choice',
        instructions: 'Which team should handle this?',
        criteria: { technical: 'Crashes and bugs', billing: 'Invoices and payments' },
      },
      mood: { type: 'score', instructions: 'How angry is it?', criteria: ['calm', 'annoyed', 'furious'] },
    },
  });
  expect(answers.isComplaint.noul).toBeGreaterThan(0);
  expect(answers.isComplaint.noul).toBeLessThan(1);
  const { probabilities } = answers.team;
  expect(probabilities.technical + probabilities.billing).toBeCloseTo(1);
  expect(answers.team.confidence).toBe(Math.max(...Object.values(probabilities)));
  expect(Object.keys(answers.mood.probabilities)).toEqual(['0', '1', '2']);
  expect(answers.mood.score).toBeGreaterThan(0);
  expect(answers.mood.score).toBeLessThan(2);
  // The state was computed once.
  expect(usage).toMatchObject({ input_token_details: { cache_read: expect.any(Number) } });
  const again = await decisions.invoke({
    state: 'x',
    questions: { one: { type: 'noul', instructions: 'Is it x?' } },
  });
  const repeated = await decisions.invoke({
    state: 'x',
    questions: { one: { type: 'noul', instructions: 'Is it x?' } },
  });
  expect(repeated.answers).toEqual(again.answers);
});
