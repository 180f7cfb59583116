import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { convertReadableStreamToArray } from '@ai-sdk/provider-utils/test';
import { expect, test } from 'vitest';
import { local } from '../../../providers/ai-sdk/index.ts';
import { RivuletError } from '../../../src/errors.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedModel } from '../../../src/testing.ts';
import { thinkTemplate } from '../think-template.ts';

const prompt: LanguageModelV4CallOptions['prompt'] = [
  { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
];

async function partsOf(
  model: ScriptedModel,
  options: Partial<LanguageModelV4CallOptions> = {},
): Promise<LanguageModelV4StreamPart[]> {
  const { stream } = await local(model).doStream({ prompt, ...options });
  return convertReadableStreamToArray(stream);
}

/** Figures that differ from run to run stand as their kind. */
function stable(parts: readonly LanguageModelV4StreamPart[]): unknown {
  return parts.map((part) => {
    if (part.type === 'response-metadata') {
      return { ...part, id: typeof part.id, timestamp: part.timestamp instanceof Date };
    }
    if (part.type !== 'finish') return part;
    const { type, finishReason, usage } = part;
    return { type, finishReason, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
  });
}

test('text', async () => {
  const model = scriptedModel({ outputs: [['Hel', 'lo']] });
  expect(stable(await partsOf(model))).toEqual([
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', id: 'string', modelId: 'scripted', timestamp: true },
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: 'Hel' },
    { type: 'text-delta', id: '0', delta: 'lo' },
    { type: 'text-end', id: '0' },
    {
      type: 'finish',
      finishReason: { unified: 'stop', raw: 'eos' },
      inputTokens: { total: 21, noCache: 21, cacheRead: 0, cacheWrite: undefined },
      outputTokens: { total: 2, text: 2, reasoning: 0 },
    },
  ]);
});

test('thoughts, then text', async () => {
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'hm', '</think>', '\n\n', '42']],
  });
  const parts = await partsOf(model);
  expect(parts.slice(2, -1)).toEqual([
    { type: 'reasoning-start', id: '0' },
    { type: 'reasoning-delta', id: '0', delta: 'hm' },
    { type: 'reasoning-end', id: '0' },
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: '42' },
    { type: 'text-end', id: '1' },
  ]);
  const finish = parts.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish part');
  const { total, text, reasoning } = finish.usage.outputTokens;
  expect(total).toBe(5);
  expect(reasoning).toBeGreaterThan(0);
  expect((text ?? 0) + (reasoning ?? 0)).toBe(5);
});

test('thoughts alone make no text part', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [['<think>', 'hm', '</think>']] });
  const types = (await partsOf(model)).map(({ type }) => type);
  expect(types.filter((type) => type.startsWith('text'))).toEqual([]);
});

test('a stop text over three tokens is left out', async () => {
  const model = scriptedModel({ outputs: [['one E', 'N', 'D two']] });
  const parts = await partsOf(model, { stopSequences: ['END'] });
  const text = parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('');
  expect(text).toBe('one ');
  expect(parts.at(-1)).toMatchObject({ finishReason: { unified: 'stop', raw: 'stop-sequence' } });
});

test('the token limit', async () => {
  const model = scriptedModel({ outputs: [['a', 'b', 'c']] });
  const parts = await partsOf(model, { maxOutputTokens: 2 });
  expect(parts.at(-1)).toMatchObject({
    finishReason: { unified: 'length', raw: 'max-tokens' },
    usage: { outputTokens: { total: 2 } },
  });
});

test('the metadata says where the time went', async () => {
  const model = scriptedModel({ outputs: [['a', 'b']], prefillMs: 5, delayMs: 2 });
  const finish = (await partsOf(model)).at(-1);
  expect(finish).toMatchObject({
    providerMetadata: {
      local: {
        loadMs: 0,
        queueMs: 0,
        prefillMs: expect.any(Number),
        decodeMs: expect.any(Number),
        timeToFirstTokenMs: expect.any(Number),
        tokensPerSecond: expect.any(Number),
        engine: { dialect: 'portable', device: 'cpu', threads: 1 },
      },
    },
  });
});

test('unsupported settings are warnings of the first part', async () => {
  const model = scriptedModel({ outputs: [['a']] });
  const [first] = await partsOf(model, {
    tools: [{ type: 'function', name: 'add', inputSchema: { type: 'object' } }],
    toolChoice: { type: 'required' },
    responseFormat: { type: 'json' },
    reasoning: 'low',
  });
  if (first?.type !== 'stream-start') throw new Error('stream-start does not come first');
  expect(
    first.warnings.map((warning) => (warning.type === 'unsupported' ? warning.feature : warning.type)),
  ).toEqual(['reasoning']);
});

test.each([
  // gpt-oss thinks in a channel of its own, and has levels but no way out.
  ["{{ '<|start|>assistant<|channel|>final<|message|>' }}{{ reasoning_effort }}", 'high', []],
  ["{{ '<|start|>assistant<|channel|>final<|message|>' }}{{ reasoning_effort }}", 'none', ['compatibility']],
  [thinkTemplate, 'none', []],
  [thinkTemplate, 'high', ['compatibility']],
] as const)('a model that thinks, by %s, at the level %s', async (chatTemplate, reasoning, types) => {
  const [first] = await partsOf(scriptedModel({ chatTemplate, outputs: [['a']] }), { reasoning });
  if (first?.type !== 'stream-start') throw new Error('stream-start does not come first');
  expect(first.warnings.map(({ type }) => type)).toEqual(types);
});

test('logprobs ride on their delta and on the finish', async () => {
  const model = scriptedModel({ outputs: [['a', 'b']] });
  const parts = await partsOf(model, { providerOptions: { local: { logprobs: 1 } } });
  const token = (text: string): unknown => ({ text, logprob: 0, top: [{ text, logprob: 0 }] });
  expect(parts.filter(({ type }) => type === 'text-delta')).toMatchObject([
    { providerMetadata: { local: { logprobs: [token('a')] } } },
    { providerMetadata: { local: { logprobs: [token('b')] } } },
  ]);
  expect(parts.at(-1)).toMatchObject({
    providerMetadata: { local: { logprobs: [token('a'), token('b')] } },
  });
});

test('raw parts only when asked for', async () => {
  const model = scriptedModel({ outputs: [['a'], ['a']] });
  const count = (parts: readonly LanguageModelV4StreamPart[]): number =>
    parts.filter(({ type }) => type === 'raw').length;
  expect(count(await partsOf(model))).toBe(0);
  expect(count(await partsOf(model, { includeRawChunks: true }))).toBe(5);
});

test('a failure midway closes the block, then error, then finish', async () => {
  const failure = new RivuletError('ENGINE_FAILED', 'It broke.');
  const model = scriptedModel({ outputs: [['Hel', failure]] });
  const parts = await partsOf(model);
  expect(parts.slice(2)).toMatchObject([
    { type: 'text-start', id: '0' },
    { type: 'text-delta', delta: 'Hel' },
    { type: 'text-end', id: '0' },
    { type: 'error', error: failure },
    { type: 'finish', finishReason: { unified: 'error', raw: undefined } },
  ]);
});

test('a prompt that does not fit', async () => {
  const model = scriptedModel({ outputs: [['a']], contextLength: 10 });
  const parts = await partsOf(model);
  expect(parts.map(({ type }) => type)).toEqual(['stream-start', 'response-metadata', 'error', 'finish']);
  expect(parts[2]).toMatchObject({ error: { code: 'CONTEXT_OVERFLOW' } });
  await expect(local(model).doGenerate({ prompt })).rejects.toMatchObject({
    code: 'CONTEXT_OVERFLOW',
    details: { promptTokens: 21, contextLength: 10 },
  });
});

test('an abort before the call, in prefill and in decode throws the reason', async () => {
  const reason = new Error('enough');
  const untouched = scriptedModel({ outputs: [['a']] });
  const aborted = { prompt, abortSignal: AbortSignal.abort(reason) };
  await expect(local(untouched).doStream(aborted)).rejects.toBe(reason);
  await expect(local(untouched).doGenerate(aborted)).rejects.toBe(reason);
  expect(untouched.requests).toHaveLength(0);

  for (const model of [
    scriptedModel({ outputs: [['a']], prefillMs: 60_000 }),
    scriptedModel({ outputs: [['a', 'b']], delayMs: 60_000 }),
  ]) {
    const abort = new AbortController();
    const { stream } = await local(model).doStream({ prompt, abortSignal: abort.signal });
    const received = convertReadableStreamToArray(stream);
    setTimeout(() => abort.abort(reason), 20);
    await expect(received).rejects.toBe(reason);
    expect(model.requests).toMatchObject([{ state: 'left' }]);
  }
});

test('cancelling the stream ends a prefill under way', async () => {
  const model = scriptedModel({ outputs: [['a']], prefillMs: 60_000 });
  const { stream } = await local(model).doStream({ prompt });
  const reader = stream.getReader();
  await reader.read();
  await reader.read();
  const pending = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await reader.cancel();
  await pending;
  expect(model.requests).toMatchObject([{ pieces: 0, state: 'left' }]);
});

test('a consumer that stops reading stops the engine', async () => {
  const pieces = Array.from({ length: 200 }, () => 'x');
  const model = scriptedModel({ outputs: [pieces] });
  const { stream } = await local(model).doStream({ prompt });
  const reader = stream.getReader();
  for (let part = 0; part < 5; part += 1) await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [request] = model.requests;
  expect(request?.state).toBe('running');
  expect(request?.pieces).toBeLessThan(10);
  await reader.cancel();
});

test('several streams at once', async () => {
  const model = scriptedModel({
    outputs: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    delayMs: 1,
  });
  const other = scriptedModel({ outputs: [['e', 'f']], delayMs: 1, id: 'other' });
  const all = await Promise.all([partsOf(model), partsOf(model), partsOf(other)]);
  const texts = all.map((parts) =>
    parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join(''),
  );
  expect(texts.toSorted()).toEqual(['ab', 'cd', 'ef']);
});

test('generation in one piece', async () => {
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'hm', '</think>', '42']],
  });
  const result = await local(model).doGenerate({ prompt, temperature: 0, seed: 3 });
  expect(result).toMatchObject({
    content: [
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: '42' },
    ],
    finishReason: { unified: 'stop', raw: 'eos' },
    warnings: [],
    request: {
      body: { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], temperature: 0, seed: 3 },
    },
    response: { id: expect.any(String), modelId: 'scripted', timestamp: expect.any(Date) },
  });
});
