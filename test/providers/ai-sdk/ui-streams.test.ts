import {
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  DirectChatTransport,
  parseJsonEventStream,
  readUIMessageStream,
  smoothStream,
  stepCountIs,
  streamText,
  tool,
  ToolLoopAgent,
  uiMessageChunkSchema,
  type UIMessage,
  type UIMessageChunk,
} from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../../providers/ai-sdk/index.ts';
import { RivuletError } from '../../../src/errors.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const add = tool({
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => a + b,
});

function thinkingAdder(delayMs = 0): ScriptedModel {
  return scriptedModel({
    chatTemplate: thinkTemplate,
    delayMs,
    outputs: [
      [
        '<think>',
        'I add.',
        '</think>',
        '<tool_call>\n{"name": "add", "arguments": {"a": 1,',
        '"b": 2}}\n</tool_call>',
      ],
      ['It ', 'is ', '3.'],
    ],
  });
}

const question: UIMessage = { id: 'q', role: 'user', parts: [{ type: 'text', text: '1 + 2?' }] };

async function chunksOf(response: Response): Promise<UIMessageChunk[]> {
  if (response.body === null) throw new Error('The response has no body.');
  const events = parseJsonEventStream({ stream: response.body, schema: uiMessageChunkSchema });
  const results = await collect(
    events as unknown as AsyncIterable<{ success: boolean; value: UIMessageChunk }>,
  );
  expect(results.every(({ success }) => success)).toBe(true);
  return results.map(({ value }) => value);
}

async function lastMessage(chunks: readonly UIMessageChunk[]): Promise<UIMessage | undefined> {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return (await collect(readUIMessageStream({ stream }))).at(-1);
}

const answered = [
  { type: 'step-start' },
  { type: 'reasoning', text: 'I add.', state: 'done' },
  { type: 'tool-add', state: 'output-available', input: { a: 1, b: 2 }, output: 3 },
  { type: 'step-start' },
  { type: 'text', text: 'It is 3.', state: 'done' },
];

describe('UI message streams', () => {
  test('a response over HTTP: every chunk is by the schema, and the message is whole', async () => {
    const result = streamText({
      model: local(thinkingAdder()),
      prompt: '1 + 2?',
      tools: { add },
      stopWhen: stepCountIs(3),
    });
    const chunks = await chunksOf(
      createUIMessageStreamResponse({ stream: result.toUIMessageStream({ sendReasoning: true }) }),
    );
    expect([...new Set(chunks.map(({ type }) => type))]).toEqual(
      expect.arrayContaining([
        'reasoning-delta',
        'tool-input-start',
        'tool-input-delta',
        'text-delta',
        'finish',
      ]),
    );
    const message = await lastMessage(chunks);
    expect(message?.parts).toMatchObject(answered);
    // And back as the history of the next turn.
    const history = await convertToModelMessages([question, { ...message!, id: 'a' }]);
    expect(history.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
  });

  test('a conversation over three turns keeps its prefix', async () => {
    const model = scriptedModel({ outputs: [['One.'], ['Two.'], ['Three.']] });
    const messages: UIMessage[] = [];
    const cacheReads: number[] = [];
    for (const turn of ['a', 'b', 'c']) {
      messages.push({ ...question, id: turn });
      const result = streamText({ model: local(model), messages: await convertToModelMessages(messages) });
      const [message] = (await collect(readUIMessageStream({ stream: result.toUIMessageStream() }))).slice(
        -1,
      );
      messages.push({ ...message!, id: `${turn}-answer` });
      cacheReads.push((await result.usage).inputTokenDetails.cacheReadTokens ?? 0);
    }
    expect(messages.map(({ parts }) => parts.at(-1))).toMatchObject([
      { text: '1 + 2?' },
      { text: 'One.' },
      { text: '1 + 2?' },
      { text: 'Two.' },
      { text: '1 + 2?' },
      { text: 'Three.' },
    ]);
    expect(cacheReads[0]).toBe(0);
    expect(cacheReads[2]).toBeGreaterThan(cacheReads[1] ?? 0);
    expect(cacheReads[1]).toBeGreaterThan(0);
  });

  test('transient data beside the answer is not part of the message', async () => {
    const seen: string[] = [];
    const stream = createUIMessageStream({
      execute: ({ writer }) => {
        writer.write({ type: 'data-loading', data: { done: 0.5 }, transient: true });
        writer.merge(
          streamText({
            model: local(scriptedModel({ outputs: [['Hi']] })),
            prompt: 'Hi',
          }).toUIMessageStream(),
        );
      },
    });
    const chunks = await chunksOf(createUIMessageStreamResponse({ stream }));
    for (const { type } of chunks) seen.push(type);
    expect(seen).toContain('data-loading');
    expect((await lastMessage(chunks))?.parts.map(({ type }) => type)).toEqual(['step-start', 'text']);
  });

  test('a failure midway: the text stays, the error is masked or told', async () => {
    const failing = (): ScriptedModel =>
      scriptedModel({ outputs: [['Hel', new RivuletError('ENGINE_FAILED', 'It broke.')]] });
    for (const [onError, text] of [
      [undefined, 'An error occurred.'],
      [(error: unknown): string => (error as Error).message, 'It broke.'],
    ] as const) {
      const result = streamText({ model: local(failing()), prompt: 'Hi', onError: () => undefined });
      const options = onError === undefined ? {} : { onError };
      const chunks = await collect(result.toUIMessageStream(options));
      expect(chunks).toContainEqual({ type: 'error', errorText: text });
      expect(chunks).toContainEqual(expect.objectContaining({ type: 'text-delta', delta: 'Hel' }));
      expect(chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'error' });
    }
  });

  test('smoothing keeps every character', async () => {
    const pieces = ['The ri', 'ver r', 'uns to the s', 'ea.'];
    const result = streamText({
      model: local(scriptedModel({ outputs: [pieces] })),
      prompt: 'Hi',
      experimental_transform: smoothStream({ delayInMs: 1 }),
    });
    const words = await collect(result.textStream);
    expect(words).toEqual(['The ', 'river ', 'runs ', 'to ', 'the ', 'sea.']);
  });
});

describe('transports', () => {
  test('an agent in the same process', async () => {
    const agent = new ToolLoopAgent({ model: local(thinkingAdder()), tools: { add } });
    const transport = new DirectChatTransport({ agent, sendReasoning: true });
    const stream = await transport.sendMessages({
      trigger: 'submit-message',
      chatId: 'chat',
      messageId: undefined,
      messages: [question] as never,
      abortSignal: undefined,
    });
    const message = (
      await collect(readUIMessageStream({ stream: stream as ReadableStream<UIMessageChunk> }))
    ).at(-1);
    expect(message?.parts).toMatchObject(answered);
  });

  test('its abort ends the engine', async () => {
    const model = thinkingAdder(20);
    const transport = new DirectChatTransport({
      agent: new ToolLoopAgent({ model: local(model), tools: { add } }),
    });
    const abort = new AbortController();
    const stream = await transport.sendMessages({
      trigger: 'submit-message',
      chatId: 'chat',
      messageId: undefined,
      messages: [question] as never,
      abortSignal: abort.signal,
    });
    const types: string[] = [];
    for await (const { type } of stream as unknown as AsyncIterable<UIMessageChunk>) {
      types.push(type);
      if (type === 'reasoning-delta') abort.abort();
    }
    expect(types.at(-1)).toBe('abort');
    await expect.poll(() => model.requests[0]?.state).toBe('left');
    expect(model.requests).toHaveLength(1);
  });

  test('a resumed stream: the second reader gets all of it after the first one dropped', async () => {
    // What a store of resumable streams does: it keeps the events and replays them to whoever asks.
    const stored: string[] = [];
    let isComplete = false;
    const model = thinkingAdder(5);
    const result = streamText({
      model: local(model),
      prompt: '1 + 2?',
      tools: { add },
      stopWhen: stepCountIs(3),
    });
    const response = createUIMessageStreamResponse({
      stream: result.toUIMessageStream({ sendReasoning: true }),
      consumeSseStream: async ({ stream }) => {
        for await (const event of stream as unknown as AsyncIterable<string>) stored.push(event);
        isComplete = true;
      },
    });
    const first = response.body?.getReader();
    for (let event = 0; event < 4; event += 1) await first?.read();
    await first?.cancel();
    expect(model.requests).toMatchObject([{ state: 'running' }]);
    expect(isComplete).toBe(false);

    await expect.poll(() => isComplete, { timeout: 5000 }).toBe(true);
    const replayed = new Response(new Blob(stored).stream());
    const message = await lastMessage(await chunksOf(replayed));
    expect(message?.parts).toMatchObject(answered);
    expect(model.requests.map(({ state }) => state)).toEqual(['finished', 'finished']);
  });

  test('a tab that is closed ends the engine when the route passes its signal on', async () => {
    const model = scriptedModel({
      outputs: [Array.from({ length: 500 }, (_, index) => `${index} `)],
      delayMs: 5,
    });
    const request = new AbortController();
    const result = streamText({ model: local(model), prompt: 'Count.', abortSignal: request.signal });
    const reader = createUIMessageStreamResponse({ stream: result.toUIMessageStream() }).body?.getReader();
    for (let event = 0; event < 5; event += 1) await reader?.read();
    request.abort();
    await reader?.cancel();
    await expect.poll(() => model.requests[0]?.state).toBe('left');
    expect(model.requests[0]?.pieces).toBeLessThan(100);
  });
});
