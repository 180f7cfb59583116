import { setTimeout as wait } from 'node:timers/promises';

import {
  cosineSimilarity,
  createProviderRegistry,
  embed,
  embedMany,
  generateText,
  Output,
  rerank,
  stepCountIs,
  streamText,
  tool,
  wrapLanguageModel,
} from 'ai-v6';
import { expect, test } from 'vitest';
import { z } from 'zod/v4';
import { createLocal, local } from '../../../../providers/ai-sdk/v3/index.ts';
import type {
  LocalEmbeddingModelOptions,
  LocalLanguageModelOptions,
} from '../../../../providers/ai-sdk/v3/index.ts';
import { scriptedModel } from '../../../../src/testing.ts';
import { conformanceModelPath } from '../../../support/conformance-model.ts';
import { thinkTemplate } from '../../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

test('streamText: the parts of a thinking answer, in order', async () => {
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'six times ', 'seven', '</think>', '\n\n', 'It is ', '42.']],
  });
  const result = streamText({ model: local(model), system: 'Be brief.', prompt: '6 * 7?' });
  const parts: string[] = [];
  for await (const part of result.fullStream) {
    parts.push('text' in part ? `${part.type} ${part.text}` : part.type);
  }
  expect(parts).toEqual([
    'start',
    'start-step',
    'reasoning-start',
    'reasoning-delta six times',
    'reasoning-delta  seven',
    'reasoning-end',
    'text-start',
    'text-delta It is ',
    'text-delta 42.',
    'text-end',
    'finish-step',
    'finish',
  ]);
  expect(await result.reasoningText).toBe('six times seven');
  expect(await result.text).toBe('It is 42.');
  expect(await result.finishReason).toBe('stop');
  expect(await result.rawFinishReason).toBe('eos');
  const usage = await result.usage;
  expect(usage).toMatchObject({
    outputTokens: 7,
    inputTokenDetails: { cacheReadTokens: 0, noCacheTokens: usage.inputTokens },
  });
  expect(usage.outputTokenDetails.reasoningTokens).toBeGreaterThan(0);
  expect(await result.response).toMatchObject({ modelId: 'scripted' });
  expect(await result.providerMetadata).toMatchObject({ local: { quantization: 'none' } });
});

test('generateText: settings arrive, earlier turns come back, warnings of the model come out', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [['Hello!'], ['Fine.']] });
  const options: LocalLanguageModelOptions = { minP: 0.1, reasoning: 'low' };
  const first = await generateText({
    model: local(model),
    prompt: 'Hi',
    maxOutputTokens: 20,
    temperature: 0.5,
    stopSequences: ['END'],
    seed: 3,
    providerOptions: { local: options },
  });
  expect(first.text).toBe('Hello!');
  expect(model.requests[0]?.options).toMatchObject({
    maxTokens: 20,
    temperature: 0.5,
    stop: ['END'],
    seed: 3,
    minP: 0.1,
  });
  const second = await generateText({
    model: local(model),
    messages: [
      { role: 'user', content: 'Hi' },
      ...first.response.messages,
      { role: 'user', content: 'How are you?' },
    ],
  });
  expect(second.text).toBe('Fine.');
  expect(model.requests[1]?.prompt).toContain('<|im_start|>assistant\nHello!<|im_end|>');
  expect(second.usage.inputTokenDetails.cacheReadTokens).toBe(first.usage.inputTokens);
});

test('a model that writes no reasoning says so when it is asked to', async () => {
  const model = scriptedModel({ outputs: [['Hello!']] });
  const result = await generateText({
    model: local(model),
    prompt: 'Hi',
    providerOptions: { local: { reasoning: 'high' } },
  });
  expect(result.warnings).toContainEqual(
    expect.objectContaining({ type: 'unsupported', feature: 'reasoning' }),
  );
});

test('options of our own are checked', async () => {
  const model = scriptedModel({ outputs: [['Hello!']] });
  const ask = generateText({
    model: local(model),
    prompt: 'Hi',
    providerOptions: { local: { reasoning: 'a lot' } },
  });
  await expect(ask).rejects.toMatchObject({ name: 'AI_InvalidArgumentError' });
});

test('files are refused as in version 4, whichever way they are given', async () => {
  const model = scriptedModel({ outputs: [['Hello!']] });
  for (const data of [new Uint8Array([1, 2, 3]), 'AQID']) {
    const ask = generateText({
      model: local(model),
      messages: [{ role: 'user', content: [{ type: 'file', data, mediaType: 'application/pdf' }] }],
    });
    await expect(ask).rejects.toMatchObject({ name: 'AI_UnsupportedFunctionalityError' });
  }
});

const counting = Array.from({ length: 200 }, (_, index) => `${index} `);

test('an abort ends the request', async () => {
  const model = scriptedModel({ outputs: [counting], delayMs: 2 });
  const controller = new AbortController();
  const aborted = streamText({ model: local(model), prompt: 'Count', abortSignal: controller.signal });
  const parts: string[] = [];
  for await (const part of aborted.fullStream) {
    if (part.type === 'text-delta') controller.abort();
    parts.push(part.type);
  }
  expect(parts.at(-1)).toBe('abort');
  expect(model.requests[0]?.state).toBe('left');
});

test('a stream is computed as far as it is read, and left when it is cancelled', async () => {
  const model = scriptedModel({ outputs: [counting], delayMs: 2 });
  const { stream } = await local(model).doStream({
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Count' }] }],
  });
  const reader = stream.getReader();
  for (let part = 0; part < 4; part += 1) await reader.read();
  await wait(100);
  expect(model.requests[0]?.pieces).toBeLessThan(6);
  await reader.cancel();
  await wait(20);
  expect(model.requests[0]?.state).toBe('left');
});

const toolTemplate = `{%- for tool in tools %}{{ tool | tojson }}{%- endfor %}{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}{{ message.content }}
{%- for call in message.tool_calls or [] %}{{ '<tool_call>\\n' + (call.function | tojson) + '\\n</tool_call>' }}{%- endfor %}
{{- '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

const call = [
  '<tool_call>',
  '\n{"name": "add", ',
  '"arguments": {"left": 6,',
  ' "right": 7}}',
  '\n</tool_call>',
];

test('tools run, their results go back, and their input is streamed', async () => {
  const model = scriptedModel({ chatTemplate: toolTemplate, outputs: [call, ['Thirteen.']] });
  const streamed: string[] = [];
  const result = streamText({
    model: local(model),
    prompt: '6 + 7?',
    tools: {
      add: tool({
        description: 'Adds.',
        inputSchema: z.object({ left: z.number(), right: z.number() }),
        onInputDelta: ({ inputTextDelta }) => void streamed.push(inputTextDelta),
        execute: ({ left, right }) => left + right,
      }),
    },
    stopWhen: stepCountIs(3),
  });
  await result.consumeStream();
  const [first, second] = await result.steps;
  expect(first?.finishReason).toBe('tool-calls');
  expect(first?.toolCalls).toMatchObject([{ toolName: 'add', input: { left: 6, right: 7 } }]);
  expect(first?.toolResults).toMatchObject([{ output: 13 }]);
  expect(JSON.parse(streamed.join(''))).toEqual({ left: 6, right: 7 });
  expect(streamed.length).toBeGreaterThan(1);
  expect(second?.text).toBe('Thirteen.');
  expect(model.requests[0]?.prompt).toContain('"name": "add"');
  expect(model.requests[1]?.prompt).toContain('<|im_start|>tool\n13<|im_end|>');
});

test('results of tools keep their kind: errors, denials and content', async () => {
  const output = { type: 'content' as const, value: [{ type: 'text' as const, text: 'a picture of a cat' }] };
  const outputs = [
    [{ type: 'error-text', value: 'no such file' }, 'no such file'],
    [{ type: 'execution-denied', reason: 'not today' }, 'not today'],
    [output, 'a picture of a cat'],
  ] as const;
  for (const [given, seen] of outputs) {
    const model = scriptedModel({ chatTemplate: toolTemplate, outputs: [['Well.']] });
    await generateText({
      model: local(model),
      messages: [
        { role: 'user', content: 'Look!' },
        {
          role: 'assistant',
          content: [{ type: 'tool-call', toolCallId: 'a', toolName: 'look', input: { at: 'it' } }],
        },
        {
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId: 'a', toolName: 'look', output: given }],
        },
      ],
    });
    expect(model.requests[0]?.prompt).toContain(`<|im_start|>tool\n${seen}<|im_end|>`);
  }
});

test('structured output', async () => {
  const model = scriptedModel({ outputs: [['{"sum"', ': 13}']] });
  const result = streamText({
    model: local(model),
    prompt: '6 + 7?',
    output: Output.object({ schema: z.object({ sum: z.number() }) }),
  });
  const partial: unknown[] = [];
  for await (const object of result.partialOutputStream) partial.push(object);
  expect(partial.at(-1)).toEqual({ sum: 13 });
  expect(await result.output).toEqual({ sum: 13 });
});

test('embeddings', async () => {
  const model = local.embeddingModel(conformanceModelPath('bert'));
  const many = await embedMany({ model, values: ['the sea', 'a brook'] });
  const one = await embed({ model, value: 'a brook' });
  expect(many.embeddings[1]).toEqual(one.embedding);
  expect(cosineSimilarity(one.embedding, one.embedding)).toBeCloseTo(1, 5);
  expect(one.usage.tokens).toBeGreaterThan(2);
  const options: LocalEmbeddingModelOptions = { dimensions: 4 };
  const short = await embed({ model, value: 'a brook', providerOptions: { local: options } });
  expect(short.embedding).toHaveLength(4);
  const wrong = embed({
    model,
    value: 'a',
    providerOptions: { local: { dimensions: 'few' } },
    maxRetries: 0,
  });
  await expect(wrong).rejects.toMatchObject({ name: 'AI_InvalidArgumentError' });
});

test('reranking', async () => {
  const model = local.rerankingModel(conformanceModelPath('bert-rerank'));
  const documents = ['a brook', 'the sea', 'a stone'];
  const { ranking, rerankedDocuments } = await rerank({ model, documents, query: 'water', topN: 2 });
  expect(ranking).toHaveLength(2);
  expect(ranking[0]!.score).toBeGreaterThanOrEqual(ranking[1]!.score);
  expect(rerankedDocuments).toEqual(ranking.map(({ originalIndex }) => documents[originalIndex]));
});

test('a failure in the middle is an error part and a finish', async () => {
  const model = scriptedModel({ outputs: [['Hel', new Error('broken')]] });
  const result = streamText({ model: local(model), prompt: 'Hi', onError: () => undefined });
  const parts: string[] = [];
  for await (const { type } of result.fullStream) parts.push(type);
  expect(parts).toEqual(expect.arrayContaining(['text-delta', 'text-end', 'error']));
  expect(await result.finishReason).toBe('error');
});

test('registries and middleware of ai 6 take it', async () => {
  const model = scriptedModel({ outputs: [['Hello!']] });
  const wrapped = wrapLanguageModel({ model: local(model), middleware: { specificationVersion: 'v3' } });
  expect((await generateText({ model: wrapped, prompt: 'Hi' })).text).toBe('Hello!');
  const registry = createProviderRegistry({ local: createLocal() });
  expect(registry.languageModel('local:hf:org/repo:Q4_K_M')).toMatchObject({
    specificationVersion: 'v3',
    provider: 'local.chat',
    modelId: 'hf:org/repo:Q4_K_M',
  });
  expect(() => local.imageModel('x')).toThrow('x');
});
