import {
  generateText,
  hasToolCall,
  stepCountIs,
  streamText,
  tool,
  ToolLoopAgent,
  type ModelMessage,
} from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod/v4';
import { local } from '../../../providers/ai-sdk/index.ts';
import { scriptedModel } from '../../../src/testing.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const call = (name: string, input: object): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: input })}\n</tool_call>`;

const add = tool({
  description: 'Adds two numbers.',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => a + b,
});

describe('tool loops', () => {
  test('results go back to the model until it answers', async () => {
    const model = scriptedModel({
      outputs: [[call('add', { a: 1, b: 2 })], [call('add', { a: 3, b: 4 })], ['It is 7.']],
    });
    const result = await generateText({
      model: local(model),
      prompt: '1 + 2 + 4?',
      tools: { add },
      stopWhen: stepCountIs(5),
    });
    expect(result.text).toBe('It is 7.');
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual([
      'tool-calls',
      'tool-calls',
      'stop',
    ]);
    expect(model.requests[2]?.prompt).toMatch(/<tool_response>\n3\n.*<tool_response>\n7\n/su);
    // Later steps compute what is new only.
    expect(result.steps[2]?.usage.inputTokenDetails.cacheReadTokens).toBeGreaterThan(0);
  });

  test('stop conditions end them', async () => {
    const outputs = [[call('add', { a: 1, b: 2 })], [call('finish', {})], ['never']];
    const finish = tool({ inputSchema: z.object({}), execute: async () => 'done' });
    const byCount = await generateText({
      model: local(scriptedModel({ outputs })),
      prompt: 'Hi',
      tools: { add, finish },
      stopWhen: stepCountIs(1),
    });
    expect(byCount.steps).toHaveLength(1);
    const byCall = await generateText({
      model: local(scriptedModel({ outputs })),
      prompt: 'Hi',
      tools: { add, finish },
      stopWhen: [hasToolCall('finish'), stepCountIs(9)],
    });
    expect(byCall.steps).toHaveLength(2);
    expect(byCall.finishReason).toBe('tool-calls');
  });

  test('an agent, in one piece and streamed', async () => {
    const outputs = [[call('add', { a: 1, b: 2 })], ['It is ', '3.']];
    const agentOf = (): ToolLoopAgent<never, { add: typeof add }> =>
      new ToolLoopAgent({
        model: local(scriptedModel({ outputs })),
        instructions: 'Use the tool.',
        tools: { add },
      });
    const result = await agentOf().generate({ prompt: '1 + 2?' });
    expect(result.text).toBe('It is 3.');
    expect(result.steps[0]?.toolResults).toMatchObject([{ toolName: 'add', output: 3 }]);
    const stream = await agentOf().stream({ prompt: '1 + 2?' });
    const deltas: string[] = [];
    for await (const delta of stream.textStream) deltas.push(delta);
    expect(deltas.join('')).toBe('It is 3.');
    expect(deltas.length).toBeGreaterThan(1);
  });

  test('a tool that throws tells the model so', async () => {
    const model = scriptedModel({ outputs: [[call('break', {})], ['Sorry.']] });
    const result = await generateText({
      model: local(model),
      prompt: 'Hi',
      tools: {
        break: tool({
          inputSchema: z.object({}),
          execute: async (): Promise<string> => {
            throw new Error('out of paper');
          },
        }),
      },
      stopWhen: stepCountIs(3),
    });
    expect(result.steps[0]?.content).toContainEqual(expect.objectContaining({ type: 'tool-error' }));
    expect(model.requests[1]?.prompt).toContain('<tool_response>\nError: out of paper');
    expect(result.text).toBe('Sorry.');
  });

  test('a tool without execute leaves the call to the caller', async () => {
    const model = scriptedModel({ outputs: [[call('ask', { text: 'Which?' })]] });
    const result = await generateText({
      model: local(model),
      prompt: 'Hi',
      tools: { ask: { inputSchema: z.object({ text: z.string() }) } as never },
      stopWhen: stepCountIs(3),
    });
    expect(result.steps).toHaveLength(1);
    expect(result.toolCalls).toMatchObject([{ toolName: 'ask', input: { text: 'Which?' } }]);
  });
});

describe('calls that are wrong', () => {
  test('a name that no tool has is no call: the text stays as the model wrote it', async () => {
    const text = call('divide', { a: 1 });
    const model = scriptedModel({ outputs: [[text]] });
    const result = await generateText({
      model: local(model),
      prompt: 'Hi',
      tools: { add },
      stopWhen: stepCountIs(3),
    });
    expect(result).toMatchObject({ text, toolCalls: [], finishReason: 'stop' });
    expect(result.steps).toHaveLength(1);
  });

  test('input of another shape is invalid, the tool does not run, the model may try again', async () => {
    let runs = 0;
    const strict = tool({
      inputSchema: z.object({ a: z.number() }),
      execute: async () => {
        runs += 1;
        return 0;
      },
    });
    const model = scriptedModel({
      outputs: [[call('strict', { a: 'one' })], [call('strict', { a: 1 })], ['Done.']],
    });
    const result = await generateText({
      model: local(model),
      prompt: 'Hi',
      tools: { strict },
      stopWhen: stepCountIs(4),
    });
    expect(result.steps[0]?.toolCalls).toMatchObject([{ toolName: 'strict', invalid: true }]);
    expect(result.text).toBe('Done.');
    expect(runs).toBe(1);
  });

  test('a repair replaces the call', async () => {
    const model = scriptedModel({ outputs: [[call('add', { a: 'one', b: 2 })], ['It is 3.']] });
    const seen: unknown[] = [];
    const result = streamText({
      model: local(model),
      prompt: 'Hi',
      tools: { add },
      stopWhen: stepCountIs(3),
      experimental_repairToolCall: async ({ toolCall, error }) => {
        seen.push(JSON.parse(toolCall.input), error.name);
        return { ...toolCall, input: '{"a":1,"b":2}' };
      },
    });
    await result.consumeStream();
    expect(seen).toEqual([{ a: 'one', b: 2 }, 'AI_InvalidToolInputError']);
    expect((await result.steps)[0]?.toolResults).toMatchObject([{ output: 3 }]);
    expect(await result.text).toContain('It is 3.');
  });
});

describe('approval', () => {
  const removed: string[] = [];
  const remove = tool({
    inputSchema: z.object({ path: z.string() }),
    execute: async ({ path }) => {
      removed.push(path);
      return 'removed';
    },
  });
  const tools = { remove };
  const toolApproval = { remove: 'user-approval' as const };

  async function askedFor(outputs: string[][]): Promise<{
    model: ReturnType<typeof scriptedModel>;
    messages: ModelMessage[];
    approvalId: string;
  }> {
    removed.length = 0;
    const model = scriptedModel({ outputs: [[call('remove', { path: 'a.txt' })], ...outputs] });
    const messages: ModelMessage[] = [{ role: 'user', content: 'Remove a.txt.' }];
    const first = await generateText({ model: local(model), messages, tools, toolApproval });
    const request = first.content.find(({ type }) => type === 'tool-approval-request');
    if (request?.type !== 'tool-approval-request') throw new Error('No approval was asked for.');
    expect(removed).toEqual([]);
    return { model, messages: [...messages, ...first.responseMessages], approvalId: request.approvalId };
  }

  test('given: the tool runs and the model sees its result', async () => {
    const { model, messages, approvalId } = await askedFor([['It is gone.']]);
    const result = await generateText({
      model: local(model),
      messages: [
        ...messages,
        { role: 'tool', content: [{ type: 'tool-approval-response', approvalId, approved: true }] },
      ],
      tools,
      toolApproval,
    });
    expect(removed).toEqual(['a.txt']);
    expect(result.text).toBe('It is gone.');
    expect(model.requests[1]?.prompt).toContain('<tool_response>\nremoved');
  });

  test('denied: the tool does not run and the model sees why', async () => {
    const { model, messages, approvalId } = await askedFor([['Then not.']]);
    const result = await generateText({
      model: local(model),
      messages: [
        ...messages,
        {
          role: 'tool',
          content: [
            { type: 'tool-approval-response', approvalId, approved: false, reason: 'It is still needed.' },
          ],
        },
      ],
      tools,
      toolApproval,
    });
    expect(removed).toEqual([]);
    expect(result.text).toBe('Then not.');
    expect(model.requests[1]?.prompt).toContain('It is still needed.');
  });
});
