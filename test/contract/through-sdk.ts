import type * as sdk from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod/v4';
import type { LocalProvider } from '../../providers/ai-sdk/index.ts';
import { scriptedModel } from '../../src/testing.ts';
import type { ScriptedModel } from '../../src/testing.ts';
import { thinkTemplate } from '../providers/think-template.ts';
import { conformanceModelPath } from '../support/conformance-model.ts';
import { contractScripts } from './scripted-subject.ts';

/** What the suite uses of a release of `ai`; all of them have it. */
export type Sdk = Pick<
  typeof sdk,
  | 'embed'
  | 'embedMany'
  | 'generateText'
  | 'Output'
  | 'rerank'
  | 'smoothStream'
  | 'stepCountIs'
  | 'streamText'
  | 'tool'
>;

const call = (name: string, input: object): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: input })}\n</tool_call>`;

/** What a release of `ai` makes of our models. */
export function describeThroughSdk(name: string, sdk: Sdk, local: LocalProvider): void {
  const { embed, embedMany, generateText, Output, rerank, smoothStream, stepCountIs, streamText, tool } = sdk;
  const add = tool({
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => a + b,
  });

  async function partTypes(
    model: ScriptedModel,
    options: Partial<Parameters<typeof streamText>[0]> = {},
  ): Promise<string[]> {
    const result = streamText({
      model: local(model),
      prompt: 'Hi',
      onError: () => undefined,
      ...options,
    } as Parameters<typeof streamText>[0]);
    const types: string[] = [];
    for await (const { type } of result.fullStream) types.push(type);
    return types;
  }

  describe(name, () => {
    test.each(Object.entries(contractScripts))('takes every part of: %s', async (_name, script) => {
      const { pieces, finish, maxOutputTokens, withTools } = script;
      const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [pieces, pieces] });
      // Without `execute`, so that no second step follows.
      const plain = tool({ inputSchema: z.object({}).loose() });
      const options = {
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
        ...(withTools === true ? { tools: { add: plain, find: plain } as unknown as sdk.ToolSet } : {}),
      };
      const types = await partTypes(model, options);
      expect(types.filter((type) => /error|invalid|abort/u.test(type))).toEqual([]);
      expect(types.slice(-2)).toEqual(['finish-step', 'finish']);

      const result = await generateText({ model: local(model), prompt: 'Hi', ...options });
      expect(result.finishReason).toBe(finish);
      expect([...new Set(result.content.map(({ type }) => type))]).toEqual(script.content);
    });

    test('raw chunks do not disturb it', async () => {
      const types = await partTypes(scriptedModel({ outputs: [['a', 'b']] }), { includeRawChunks: true });
      expect(types).toContain('raw');
      expect(types).not.toContain('error');
      expect(types.at(-1)).toBe('finish');
    });

    test('a tool loop', async () => {
      const model = scriptedModel({
        outputs: [[call('add', { a: 1, b: 2 }), '\n', call('add', { a: 3, b: 4 })], ['3 and 7.']],
      });
      const result = streamText({
        model: local(model),
        prompt: '1 + 2, 3 + 4?',
        tools: { add },
        stopWhen: stepCountIs(3),
      });
      await result.consumeStream();
      const [first, second, ...more] = await result.steps;
      expect(more).toEqual([]);
      expect(first?.finishReason).toBe('tool-calls');
      expect(first?.toolResults.map(({ output }) => output)).toEqual([3, 7]);
      expect(second?.text).toBe('3 and 7.');
      expect(await result.finishReason).toBe('stop');
    });

    test('a call that is cut never runs its tool', async () => {
      let runs = 0;
      const counted = tool({
        inputSchema: z.object({}).loose(),
        execute: async () => {
          runs += 1;
          return 0;
        },
      });
      const result = await generateText({
        model: local(scriptedModel({ outputs: [['<tool_call>\n{"name": "add", "arguments": {', '}}']] })),
        prompt: 'Hi',
        maxOutputTokens: 1,
        tools: { add: counted },
        stopWhen: stepCountIs(3),
      });
      expect(result).toMatchObject({ finishReason: 'length', toolCalls: [] });
      expect(runs).toBe(0);
    });

    test('a failure midway: what was said stays, then an error and its finish', async () => {
      const types = await partTypes(scriptedModel({ outputs: [['Hel', new Error('broken')]] }));
      expect(types).toEqual([
        'start',
        'start-step',
        'text-start',
        'text-delta',
        'text-end',
        'error',
        'finish-step',
        'finish',
      ]);
    });

    test('an abort is an abort, not an error', async () => {
      const abort = new AbortController();
      const model = scriptedModel({ outputs: [['a', 'b', 'c']], delayMs: 30 });
      const errors: unknown[] = [];
      const result = streamText({
        model: local(model),
        prompt: 'Hi',
        abortSignal: abort.signal,
        onError: ({ error }) => void errors.push(error),
      });
      const types: string[] = [];
      for await (const { type } of result.fullStream) {
        types.push(type);
        if (type === 'text-delta') abort.abort();
      }
      expect(types.at(-1)).toBe('abort');
      expect(errors).toEqual([]);
      await expect.poll(() => model.requests[0]?.state).toBe('left');
    });

    test('structured output, its partial forms, and smoothing', async () => {
      const model = scriptedModel({
        outputs: [
          ['{"sum"', ': 1', '3}'],
          ['One two ', 'three.'],
        ],
      });
      const object = streamText({
        model: local(model),
        prompt: '6 + 7?',
        output: Output.object({ schema: z.object({ sum: z.number() }) }),
      });
      const partial: unknown[] = [];
      for await (const value of object.partialOutputStream) partial.push(value);
      expect(partial.at(-1)).toEqual({ sum: 13 });
      expect(await object.output).toEqual({ sum: 13 });

      const smooth = streamText({
        model: local(model),
        prompt: 'Hi',
        experimental_transform: smoothStream({ delayInMs: null, chunking: 'word' }),
      });
      const words: string[] = [];
      for await (const word of smooth.textStream) words.push(word);
      expect(words).toEqual(['One ', 'two ', 'three.']);
    });

    test('files of text are read, others refused', async () => {
      const model = scriptedModel({ outputs: [['Fine.']] });
      const ask = (mediaType: string): PromiseLike<unknown> =>
        generateText({
          model: local(model),
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'Sum up:' },
                { type: 'file', data: new TextEncoder().encode('# Rivers'), mediaType },
              ],
            },
          ],
        });
      await ask('text/markdown');
      expect(model.requests[0]?.prompt).toContain('Sum up:\n# Rivers<|im_end|>');
      await expect(ask('application/pdf')).rejects.toMatchObject({
        name: 'AI_UnsupportedFunctionalityError',
      });
    });

    test('vectors and scores', async () => {
      const encoder = local.embeddingModel(conformanceModelPath('bert'));
      const one = await embed({ model: encoder, value: 'a brook' });
      const many = await embedMany({ model: encoder, values: ['the sea', 'a brook'] });
      expect(many.embeddings[1]).toEqual(one.embedding);
      expect(many.usage.tokens).toBeGreaterThan(one.usage.tokens);
      const documents = ['the sea', 'a river', 'stones'];
      const reranker = local.rerankingModel(conformanceModelPath('bert-rerank'));
      const { ranking } = await rerank({ model: reranker, query: 'river', documents, topN: 2 });
      expect(ranking).toHaveLength(2);
    });
  });
}
