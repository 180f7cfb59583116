import {
  generateText,
  NoObjectGeneratedError,
  Output,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../../providers/ai-sdk/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const river = z.object({ name: z.string(), km: z.number() });

describe('output by a schema', () => {
  test('an object, whole and growing', async () => {
    const pieces = ['{"name": "Ni', 'le", "km"', ': 6650}'];
    const model = scriptedModel({ outputs: [pieces, pieces] });
    const output = Output.object({ schema: river });
    const whole = await generateText({ model: local(model), prompt: 'A river.', output });
    expect(whole.output).toEqual({ name: 'Nile', km: 6650 });
    const stream = streamText({ model: local(model), prompt: 'A river.', output });
    expect(await collect(stream.partialOutputStream)).toEqual([
      { name: 'Ni' },
      { name: 'Nile' },
      { name: 'Nile', km: 6650 },
    ]);
    expect(await stream.output).toEqual({ name: 'Nile', km: 6650 });
  });

  test('an array, element by element', async () => {
    const pieces = ['{"elements": [{"name": "Nile", "km": 6650}', ', {"name": "Vltava", ', '"km": 430}]}'];
    const stream = streamText({
      model: local(scriptedModel({ outputs: [pieces] })),
      prompt: 'Rivers.',
      output: Output.array({ element: river }),
    });
    expect(await collect(stream.elementStream)).toEqual([
      { name: 'Nile', km: 6650 },
      { name: 'Vltava', km: 430 },
    ]);
    expect(await stream.output).toHaveLength(2);
  });

  test('a choice and free JSON', async () => {
    const model = scriptedModel({
      outputs: [
        ['{"result": ', '"river"}'],
        ['[1, ', 'null]'],
      ],
    });
    const choice = await generateText({
      model: local(model),
      prompt: 'Nile?',
      output: Output.choice({ options: ['river', 'sea'] }),
    });
    expect(choice.output).toBe('river');
    const json = await generateText({ model: local(model), prompt: 'JSON!', output: Output.json() });
    expect(json.output).toEqual([1, null]);
  });

  test('thoughts are no part of it', async () => {
    const model = scriptedModel({
      chatTemplate: thinkTemplate,
      outputs: [['<think>', 'A long {one}.', '</think>', '\n', '{"name": "Nile", "km": 6650}']],
    });
    const result = await generateText({
      model: local(model),
      prompt: 'A river.',
      output: Output.object({ schema: river }),
    });
    expect(result.reasoningText).toBe('A long {one}.');
    expect(result.output).toEqual({ name: 'Nile', km: 6650 });
  });

  test('what is cut is an error that says so', async () => {
    const result = generateText({
      model: local(scriptedModel({ outputs: [['{"name": "Ni', 'le"}']] })),
      prompt: 'A river.',
      maxOutputTokens: 1,
      output: Output.object({ schema: river }),
    });
    const error: unknown = await result
      .then(
        ({ output }) => output,
        (reason: unknown) => reason,
      )
      .catch((reason: unknown) => reason);
    expect(NoObjectGeneratedError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ finishReason: 'length', text: '{"name": "Ni' });
  });

  test('the old streamObject', async () => {
    const model = scriptedModel({ outputs: [['{"name": "Nile", ', '"km": 6650}']] });
    const { object, partialObjectStream } = streamObject({
      model: local(model),
      prompt: 'A river.',
      schema: river,
    });
    expect((await collect(partialObjectStream)).at(-1)).toEqual({ name: 'Nile', km: 6650 });
    expect(await object).toEqual({ name: 'Nile', km: 6650 });
  });

  test('tools and output in one call: first the tool, then the object', async () => {
    const look = tool({ inputSchema: z.object({ name: z.string() }), execute: async () => 6650 });
    const model = scriptedModel({
      outputs: [
        ['<tool_call>\n{"name": "look", "arguments": {"name": "Nile"}}\n</tool_call>'],
        ['{"name": "Nile", ', '"km": 6650}'],
      ],
    });
    const result = await generateText({
      model: local(model),
      prompt: 'How long is the Nile?',
      tools: { look },
      output: Output.object({ schema: river }),
      stopWhen: stepCountIs(3),
    });
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(result.output).toEqual({ name: 'Nile', km: 6650 });
    expect(result.warnings ?? []).toEqual([]);
  });
});
