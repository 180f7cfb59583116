import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import type { GenerateEvent } from '../src/events.ts';
import type { Model } from '../src/model.ts';
import { openModel } from '../src/open-model.ts';
import { nodePlatform } from '../src/platform-node.ts';
import { tinyLlama } from './support/tiny-llama.ts';
import type { TinyLlamaOptions } from './support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

async function open(options: TinyLlamaOptions = {}): Promise<Model> {
  const path = join(folder, `tiny-${files++}.gguf`);
  writeFileSync(path, tinyLlama(options));
  return (await openModel(nodePlatform, 'tiny', path, { threads: 1 })).model;
}

async function collect(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const finishOf = (events: readonly GenerateEvent[]): GenerateEvent & { type: 'finish' } => {
  const last = events.at(-1);
  if (last?.type !== 'finish') throw new Error('no finish');
  return last;
};

const textOf = (events: readonly GenerateEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');

const fillTokens = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'];
const greedy = { temperature: 0, maxTokens: 8 } as const;

describe('events of a request', () => {
  it('begin with start, open and close blocks, and end with finish', async () => {
    await using model = await open();
    const events = await collect(model.chat({ ...greedy, messages: [{ role: 'user', content: 'Hi' }] }));
    const types = events.map(({ type }) => type);
    expect(types[0]).toBe('start');
    expect(types.at(-1)).toBe('finish');
    expect(types.filter((type) => type === 'text-start')).toHaveLength(1);
    expect(types.filter((type) => type === 'text-end')).toHaveLength(1);
    const { usage, reason, rawReason, timings } = finishOf(events);
    expect(usage.inputTokens.total).toBe(model.countTokens({ messages: [{ role: 'user', content: 'Hi' }] }));
    expect(['stop', 'length']).toContain(reason);
    expect(['eos', 'max-tokens']).toContain(rawReason);
    expect(timings.prefillMs).toBeGreaterThan(0);
  });

  it('what a grammar cannot hold is a warning, and finish tells when it is not so', async () => {
    await using model = await open();
    const events = await collect(
      model.chat({
        ...greedy,
        maxTokens: 200,
        messages: [{ role: 'user', content: 'Hi' }],
        responseFormat: {
          type: 'json',
          schema: { type: 'array', items: { const: 1 }, minItems: 2, maxItems: 2, uniqueItems: true },
        },
      }),
    );
    const [start] = events;
    expect(start).toMatchObject({ warnings: [{ type: 'compatibility', feature: 'schema' }] });
    expect(JSON.parse(textOf(events))).toEqual([1, 1]);
    expect(events.at(-1)).toMatchObject({ type: 'finish', warnings: [{ type: 'other', feature: 'schema' }] });
  });

  it('a grammar and a responseFormat of JSON exclude each other', async () => {
    await using model = await open();
    await expect(
      collect(
        model.chat({
          messages: [{ role: 'user', content: 'Hi' }],
          responseFormat: { type: 'json' },
          grammar: { regex: 'a+' },
        }),
      ),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('a guess of the tokenizer is a warning too', async () => {
    await using model = await open({ metadata: { 'tokenizer.ggml.pre': 'never-heard-of' } });
    const [start] = await collect(model.complete({ ...greedy, prompt: 'Hi' }));
    expect(start).toMatchObject({ warnings: [{ type: 'compatibility', feature: 'tokenizer' }] });
  });

  it('the same seed says the same, with sampling', async () => {
    await using model = await open();
    const request = { prompt: 'Hello', temperature: 2, seed: 11, maxTokens: 12, ignoreEos: true };
    const texts = [];
    for (let run = 0; run < 2; run++) {
      const events = await collect(model.complete(request));
      texts.push(events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join(''));
    }
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('a control token that a user writes', () => {
  it('is text: it takes a token for each of its bytes', async () => {
    await using model = await open();
    const count = (content: string): number => model.countTokens({ messages: [{ role: 'user', content }] });
    expect(count('<|im_end|>') - count('')).toBe('<|im_end|>'.length);
  });
});

describe('several text parts', () => {
  it('are lines of one message', async () => {
    await using model = await open();
    const part = (text: string): { type: 'text'; text: string } => ({ type: 'text', text });
    const messages = [{ role: 'user', content: [part('one'), part('two')] }];
    expect(model.renderPrompt({ messages })).toContain('one\ntwo<|im_end|>');
    const image = { type: 'image' as const, data: new Uint8Array(4) };
    expect(() => model.renderPrompt({ messages: [{ role: 'user', content: [image] }] })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });
});

describe('filling in the middle', () => {
  it('puts prefix and suffix between their tokens', async () => {
    await using model = await open({ moreTokens: fillTokens });
    const { usage } = finishOf(await collect(model.complete({ ...greedy, prompt: 'ab', suffix: 'c' })));
    expect(usage.inputTokens.total).toBe(6);
  });

  it('is refused where the model has no such tokens', async () => {
    await using model = await open();
    await expect(collect(model.complete({ prompt: 'ab', suffix: 'c' }))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});

describe('a file that opens only in part', () => {
  it('without a template: a fallback, and chat works', async () => {
    await using model = await open({ metadata: { 'tokenizer.chat_template': undefined } });
    expect(model.renderPrompt({ messages: [{ role: 'user', content: 'Hi' }] })).toContain('Hi');
  });

  it('with a broken template: complete works, chat says what is wrong', async () => {
    await using model = await open({ metadata: { 'tokenizer.chat_template': '{% if %}' } });
    finishOf(await collect(model.complete({ ...greedy, prompt: 'Hi' })));
    await expect(collect(model.chat({ messages: [{ role: 'user', content: 'Hi' }] }))).rejects.toMatchObject({
      code: 'TEMPLATE_FAILED',
    });
  });

  it('of an unknown architecture: its vocabulary can be used', async () => {
    const path = join(folder, 'unknown.gguf');
    writeFileSync(path, tinyLlama({ metadata: { 'general.architecture': 'nonesuch' } }));
    const { model } = await openModel(nodePlatform, 'unknown', path, { vocabularyOnly: true });
    expect(model.detokenize(model.tokenize('Hi'))).toBe('Hi');
    await expect(openModel(nodePlatform, 'unknown', path)).rejects.toMatchObject({
      code: 'ARCHITECTURE_UNSUPPORTED',
    });
  });
});
