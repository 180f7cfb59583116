import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { AIMessage, AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { expect } from 'vitest';
import { z } from 'zod';
import { adder, adderSchema, call, expectUsage, joined, weather } from './standard-case.ts';
import type { StandardCase } from './standard-case.ts';

const addition = 'Calculate the sum of 1 and 2 using the math_addition tool.';
const added = call('math_addition', { a: 1, b: 2 });

/** What tracers are told about the form of an answer. */
class FormatHandler extends BaseCallbackHandler {
  readonly name = 'FormatHandler';
  readonly formats: unknown[] = [];

  override handleChatModelStart(
    ...[, , , , extra]: Parameters<NonNullable<BaseCallbackHandler['handleChatModelStart']>>
  ): void {
    const { options } = (extra ?? {}) as { options?: { ls_structured_output_format?: unknown } };
    this.formats.push(options?.ls_structured_output_format);
  }
}

const tracedFormat = { kwargs: { method: 'functionCalling' }, schema: toJsonSchema(adderSchema) };

const complexTool = {
  name: 'chain_operations',
  description: 'Does several operations in a row.',
  schema: z.object({
    operation: z.enum(['add', 'subtract', 'multiply', 'divide']),
    options: z.object({ precise: z.boolean(), metadata: z.record(z.string(), z.unknown()) }),
  }),
};

/** Those that need calls of tools, forced or chosen. */
export const toolCases: readonly StandardCase[] = [
  {
    name: 'testWithStructuredOutput',
    need: 'forced',
    script: [[call('math_addition', { a: 1, b: 2 })]],
    run: async (chat) => {
      const handler = new FormatHandler();
      const structured = chat.withStructuredOutput(adderSchema, { name: 'math_addition' });
      const result = await structured.invoke('What is 1 + 2?', { callbacks: [handler] });
      expect(result).toEqual({ a: expect.any(Number), b: expect.any(Number) });
      expect(handler.formats).toEqual([tracedFormat]);
    },
  },
  {
    name: 'testWithStructuredOutputIncludeRaw',
    need: 'forced',
    script: [[call('math_addition', { a: 1, b: 2 })]],
    run: async (chat) => {
      const handler = new FormatHandler();
      const structured = chat.withStructuredOutput(adderSchema, { name: 'math_addition', includeRaw: true });
      const { raw, parsed } = await structured.invoke('What is 1 + 2?', { callbacks: [handler] });
      expect(AIMessage.isInstance(raw)).toBe(true);
      expect(parsed).toEqual({ a: expect.any(Number), b: expect.any(Number) });
      expect(handler.formats).toEqual([tracedFormat]);
    },
  },
  {
    name: 'testInvokeMoreComplexTools',
    need: 'forced',
    script: [
      [call('chain_operations', { operation: 'add', options: { precise: true, metadata: { any: [1] } } })],
    ],
    run: async (chat) => {
      const message = await chat
        .bindTools([complexTool], { tool_choice: 'chain_operations' })
        .invoke('Add one and two, precisely.');
      const { args } = message.tool_calls?.[0] ?? {};
      expect(complexTool.schema.safeParse(args).error).toBeUndefined();
    },
  },
  {
    name: 'testBindToolsWithOpenAIFormattedTools',
    need: 'choice',
    script: [[added]],
    run: async (chat) => {
      const parameters = toJsonSchema(adderSchema);
      const described = { name: 'math_addition', description: 'Add two integers', parameters };
      const bound = chat.bindTools([{ type: 'function', function: described }]);
      expect((await bound.invoke(addition)).tool_calls?.[0]?.name).toBe('math_addition');
    },
  },
  {
    name: 'testBindToolsWithRunnableToolLike',
    need: 'choice',
    script: [[added]],
    run: async (chat) => {
      const toolLike = RunnableLambda.from(() => 'done').asTool({
        name: 'math_addition',
        description: 'Add two integers',
        schema: adderSchema,
      });
      const { tool_calls: calls = [] } = await chat.bindTools([toolLike]).invoke(addition);
      expect(calls).toEqual([
        {
          name: 'math_addition',
          id: expect.stringMatching(/./),
          type: 'tool_call',
          args: { a: expect.any(Number), b: expect.any(Number) },
        },
      ]);
    },
  },
  {
    name: 'testToolCalling',
    need: 'choice',
    script: [[added], [added]],
    run: async (chat) => {
      const bound = chat.bindTools([adder]);
      expect((await bound.invoke(addition)).tool_calls).toHaveLength(1);
      expect((await joined(await bound.stream(addition))).tool_calls).toHaveLength(1);
    },
  },
  {
    name: 'testStreamTokensWithToolCalls',
    need: 'choice',
    script: [['Let me see. ', added]],
    run: async (chat) => {
      const whole = await joined(await chat.bindTools([adder]).stream(addition));
      expect(AIMessageChunk.isInstance(whole)).toBe(true);
      expect(whole.tool_calls).toHaveLength(1);
      expectUsage(whole);
    },
  },
  ...(['invoke', 'stream'] as const).map((way): StandardCase => ({
    name:
      way === 'invoke' ? 'testModelCanUseToolUseAIMessage' : 'testModelCanUseToolUseAIMessageWithStreaming',
    need: 'choice',
    script: [[call('get_current_weather', { location: 'London' })], ['It is 20 degrees.']],
    run: async (chat) => {
      const bound = chat.bindTools([weather]);
      const ask = async (messages: (HumanMessage | AIMessage | ToolMessage)[]): Promise<AIMessage> =>
        way === 'invoke' ? bound.invoke(messages) : joined(await bound.stream(messages));
      const question = new HumanMessage("What's the weather like in London right now?");
      const asked = await ask([question]);
      const [first] = asked.tool_calls ?? [];
      expect(first?.name).toBe('get_current_weather');
      const result = new ToolMessage({
        tool_call_id: first?.id ?? '',
        content: String(await weather.invoke(first?.args as { location: string })),
      });
      expect((await ask([question, asked, result])).content).not.toBe('');
    },
  })),
  {
    name: 'testParallelToolCalling',
    need: 'choice',
    script: [
      [call('get_current_weather', { location: 'London' }), '\n', added],
      ['Both: ', call('get_current_weather', { location: 'London' }), '\n', added],
      ['20 degrees and 3.'],
    ],
    run: async (chat) => {
      const bound = chat.bindTools([weather, adder]);
      const question = new HumanMessage('What is the weather in London, and what is 1 + 2?');
      expect((await bound.invoke([question])).tool_calls).toHaveLength(2);
      const streamed = await joined(await bound.stream([question]));
      const calls = streamed.tool_calls ?? [];
      expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
      const results = calls.map(
        ({ id = '', name }) => new ToolMessage({ tool_call_id: id, name, content: 'done' }),
      );
      const last = await bound.invoke([question, streamed, ...results]);
      expect(last.tool_calls).toEqual([]);
    },
  },
  ...(['testModelCanAcceptStructuredToolParamsSchema', 'testStreamTools'] as const).map(
    (name): StandardCase => ({
      name,
      need: 'choice',
      script: [[call('get_current_weather', { location: 'London' })]],
      run: async (chat) => {
        const bound = chat.bindTools([
          { name: 'get_current_weather', description: weather.description, schema: weather.schema },
        ]);
        const question = "What's the weather like in London right now?";
        const message =
          name === 'testStreamTools'
            ? await joined(await bound.stream(question))
            : await bound.invoke(question);
        expect(message.tool_calls?.[0]?.args).toHaveProperty('location');
      },
    }),
  ),
];
