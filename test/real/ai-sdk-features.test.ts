import {
  convertToModelMessages,
  embed,
  embedMany,
  generateText,
  NoSuchModelError,
  Output,
  readUIMessageStream,
  smoothStream,
  stepCountIs,
  streamText,
  tool,
  ToolLoopAgent,
  UnsupportedFunctionalityError,
  type UIMessage,
} from 'ai';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../providers/ai-sdk/index.ts';
import { collect } from '../providers/collect.ts';
import { defaultModel } from '../support/default-model.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const model = local(defaultModel, { contextLength: 2048 });
afterAll(() => local.unload());

/** Greedy and short: what the model says is small talk, what it has to hold to is checked. */
const settings = { model, temperature: 0, maxOutputTokens: 48 } as const;
/** An answer by a schema is closed before it is cut. */
const structured = { model, temperature: 0, maxOutputTokens: 120 } as const;

const short = z.string().max(24);

describe('text', () => {
  test('in one piece', async () => {
    const result = await generateText({ ...settings, prompt: 'Name a river.' });
    expect(result.text.trim()).not.toBe('');
    expect(result.usage.inputTokens).toBeGreaterThan(5);
    expect(result.usage.outputTokens).toBeGreaterThan(1);
    expect(result.usage.totalTokens).toBe((result.usage.inputTokens ?? 0) + (result.usage.outputTokens ?? 0));
    expect(['stop', 'length']).toContain(result.finishReason);
  });

  test('instructions change it', async () => {
    const prompt = 'Say something.';
    const plain = await generateText({ ...settings, maxOutputTokens: 8, prompt });
    const told = await generateText({
      ...settings,
      maxOutputTokens: 8,
      instructions: 'You are a pirate. Talk like a pirate.',
      prompt,
    });
    // The template has instructions of its own in their place.
    expect(told.usage.inputTokens).not.toBe(plain.usage.inputTokens);
    expect(told.text).not.toBe(plain.text);
  });

  test('streamed, smoothed and through a UI stream it is the same text', async () => {
    const options = { ...settings, maxOutputTokens: 24, prompt: 'Describe the sea.' };
    const { text } = await generateText(options);
    const plain = await collect(streamText(options).textStream);
    expect(plain.join('')).toBe(text);
    expect(plain.length).toBeGreaterThan(4);
    const smooth = streamText({ ...options, experimental_transform: smoothStream({ delayInMs: null }) });
    expect((await collect(smooth.textStream)).join('')).toBe(text);
    const messages = readUIMessageStream({ stream: streamText(options).toUIMessageStream() });
    const message: UIMessage | undefined = (await collect(messages)).at(-1);
    expect(message?.parts).toMatchObject([{ type: 'step-start' }, { type: 'text', text, state: 'done' }]);

    const next = await generateText({
      ...settings,
      maxOutputTokens: 4,
      messages: [
        { role: 'user', content: options.prompt },
        ...(await convertToModelMessages([message!])),
        { role: 'user', content: 'And the sky?' },
      ],
    });
    // The whole first turn is known already.
    expect(next.usage.inputTokenDetails.cacheReadTokens).toBeGreaterThan(20);
  });
});

describe('objects', () => {
  const metadata = z.object({
    title: short,
    date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/u),
    tags: z.array(short).length(2),
  });
  const nested = z.object({
    user: z.object({ name: short, age: z.int().min(0).max(120), active: z.boolean() }),
    role: z.enum(['admin', 'guest']),
    scores: z.array(z.int().min(0).max(9)).min(2).max(3),
  });
  const named = z.object({ name: short });
  const shared = z.object({ first: named, second: named });
  const recipe = z.object({
    name: short.describe('What the dish is called'),
    steps: z.array(short).min(2).max(3).describe('What to do, in order'),
    price: z.number().min(1).max(99),
  });

  test.each<[string, string, z.ZodType, string | undefined]>([
    ['metadata of a post', 'Metadata of a post about rivers.', metadata, undefined],
    ['nested, with a choice and a flag', 'A user called Ann.', nested, undefined],
    ['one part used twice', 'Two rivers.', shared, undefined],
    ['with descriptions and instructions', 'A soup.', recipe, 'You are a cook.'],
  ])('%s', async (_name, prompt, schema, instructions) => {
    const result = await generateText({
      ...structured,
      prompt,
      ...(instructions === undefined ? {} : { instructions }),
      output: Output.object({ schema, name: 'answer', description: 'What was asked for.' }),
    });
    expect(schema.safeParse(result.output).error).toBeUndefined();
    expect(result.warnings ?? []).toEqual([]);
  });

  test('growing: each part holds the one before it', async () => {
    const stream = streamText({
      ...structured,
      prompt: 'A user called Ann.',
      output: Output.object({ schema: nested }),
    });
    const partial = await collect(stream.partialOutputStream);
    expect(partial.length).toBeGreaterThan(3);
    expect(nested.parse(partial.at(-1))).toEqual(await stream.output);
    const sizes = partial.map((value) => JSON.stringify(value).length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });

  test('elements one by one', async () => {
    const element = z.object({ name: z.string().max(12), level: z.int().min(1).max(9) });
    const stream = streamText({
      ...structured,
      prompt: 'Three characters of a game.',
      output: Output.array({ element }),
    });
    const elements = await collect(stream.elementStream);
    expect(await stream.output).toEqual(elements);
    for (const one of elements) expect(element.safeParse(one).error).toBeUndefined();
  });

  test('a choice', async () => {
    const { output } = await generateText({
      ...structured,
      prompt: 'Is the Nile a river or a sea?',
      output: Output.choice({ options: ['river', 'sea'] }),
    });
    expect(['river', 'sea']).toContain(output);
  });
});

describe('tools', () => {
  const add = tool({
    description: 'Adds two numbers.',
    inputSchema: z.object({ a: z.int().min(0).max(99), b: z.int().min(0).max(99) }),
    execute: async ({ a, b }) => a + b,
  });
  const weather = tool({
    description: 'The weather of a city.',
    inputSchema: z.object({ city: z.enum(['Oslo', 'Lima']) }),
    execute: async ({ city }) => `${city}: foggy`,
  });
  const one = { maxOutputTokens: 80, providerOptions: { local: { maxToolCalls: 1 } } } as const;

  test('a required call has input by its schema', async () => {
    const result = await generateText({
      ...settings,
      ...one,
      prompt: 'Add 2 and 3.',
      tools: { add },
      toolChoice: 'required',
    });
    expect(result.finishReason).toBe('tool-calls');
    expect(result.toolCalls).toHaveLength(1);
    const { a, b } = result.toolCalls[0]!.input as { a: number; b: number };
    expect(result.toolResults).toMatchObject([{ output: a + b }]);
    expect(result.text).toBe('');
  });

  test('a required call that is closed at the limit is valid, and never run', async () => {
    const result = await generateText({
      ...settings,
      maxOutputTokens: 30,
      prompt: 'Add 2 and 3.',
      tools: { add },
      toolChoice: 'required',
      stopWhen: stepCountIs(2),
    });
    expect(result.finishReason).toBe('length');
    expect(result.toolCalls).toMatchObject([{ input: { a: expect.any(Number), b: expect.any(Number) } }]);
    expect(result.toolResults).toEqual([]);
    expect(result.steps).toHaveLength(1);
  });

  test('a named tool is the one that is called; none is none', async () => {
    const named = await generateText({
      ...settings,
      ...one,
      prompt: 'Add 2 and 3.',
      tools: { add, weather },
      toolChoice: { type: 'tool', toolName: 'weather' },
    });
    expect(named.toolCalls.map(({ toolName }) => toolName)).toEqual(['weather']);
    const none = await generateText({
      ...settings,
      prompt: 'Add 2 and 3.',
      tools: { add, weather },
      toolChoice: 'none',
    });
    expect(none.toolCalls).toEqual([]);
    expect(none.text).not.toBe('');
  });

  test('an agent: two tools, one after the other, each once, then an answer; streamed input is the input', async () => {
    const streamed: string[] = [];
    const agent = new ToolLoopAgent({
      ...settings,
      ...one,
      tools: {
        add,
        weather: tool({
          ...weather,
          onInputDelta: ({ inputTextDelta }) => void streamed.push(inputTextDelta),
        }),
      },
      stopWhen: stepCountIs(4),
      prepareStep: ({ stepNumber }) => ({
        toolChoice:
          stepNumber === 0
            ? { type: 'tool', toolName: 'weather' }
            : stepNumber === 1
              ? { type: 'tool', toolName: 'add' }
              : 'none',
      }),
    });
    const result = await agent.stream({ prompt: 'What is the weather in Oslo, and what is 2 + 3?' });
    await result.consumeStream();
    const steps = await result.steps;
    expect(steps.map(({ finishReason }) => finishReason).slice(0, 2)).toEqual(['tool-calls', 'tool-calls']);
    expect(steps.flatMap(({ toolCalls }) => toolCalls.map(({ toolName }) => toolName))).toEqual([
      'weather',
      'add',
    ]);
    expect(JSON.parse(streamed.join(''))).toEqual(steps[0]?.toolCalls[0]?.input);
    expect(steps).toHaveLength(3);
    expect(steps[2]?.text).not.toBe('');
  });

  test('tools and a schema in one call: either a call or an object, never anything else', async () => {
    const schema = z.object({ sum: z.int().min(0).max(99) });
    const result = await generateText({
      ...structured,
      providerOptions: one.providerOptions,
      prompt: 'What is 2 + 3?',
      tools: { add },
      output: Output.object({ schema }),
    });
    if (result.toolCalls.length > 0) expect(result.toolCalls[0]?.toolName).toBe('add');
    else expect(schema.safeParse(result.output).error).toBeUndefined();

    const after = await generateText({
      ...structured,
      providerOptions: one.providerOptions,
      prompt: 'What is 2 + 3?',
      tools: { add },
      output: Output.object({ schema }),
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'none' }),
    });
    expect(after.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(schema.safeParse(after.output).error).toBeUndefined();
  });
});

describe('vectors', () => {
  test('one and many', async () => {
    const minilm = local.embeddingModel('minilm');
    const { embedding, usage } = await embed({ model: minilm, value: 'sunny day at the beach' });
    expect(embedding).toHaveLength(384);
    expect(usage.tokens).toBeGreaterThan(4);
    const values = ['sunny day at the beach', 'rainy afternoon in the city'];
    const many = await embedMany({ model: minilm, values });
    expect(many.embeddings).toHaveLength(2);
    expect(many.embeddings[0]).toEqual(embedding);
  });
});

describe('what cannot be done says so', () => {
  test('a picture', async () => {
    const ask = generateText({
      ...settings,
      messages: [
        {
          role: 'user',
          content: [{ type: 'file', data: Uint8Array.of(0x89, 0x50), mediaType: 'image/png' }],
        },
      ],
    });
    await expect(ask).rejects.toSatisfy((error) => UnsupportedFunctionalityError.isInstance(error));
  });

  test('no such model', async () => {
    const ask = generateText({ model: local('/nowhere/none.gguf'), prompt: 'Hi' });
    await expect(ask).rejects.toSatisfy((error) => NoSuchModelError.isInstance(error));
  });
});
