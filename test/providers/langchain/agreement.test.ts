import type { AIMessage, AIMessageChunk, MessageOutputVersion } from '@langchain/core/messages';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { thinkTemplate } from '../think-template.ts';
import { adder, joined } from './standard/standard-case.ts';

interface Summary {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly object[];
  readonly invalid: readonly unknown[];
  readonly usage: unknown;
  readonly finishReason: unknown;
}

function summarize(message: AIMessage | AIMessageChunk): Summary {
  const reasoning = message.contentBlocks
    .map((block) => (block.type === 'reasoning' ? block.reasoning : ''))
    .join('');
  const { finish_reason: finishReason } = message.response_metadata as { finish_reason?: unknown };
  // What core assembles from events has its invalid calls in the content only.
  const blocks: readonly object[] = typeof message.content === 'string' ? [] : message.content;
  const invalid = [...(message.invalid_tool_calls ?? []), ...blocks.filter(isInvalid)];
  return {
    text: message.text,
    reasoning,
    calls: (message.tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    invalid: [...new Map(invalid.map(({ id, name }) => [id, name])).values()],
    usage: message.usage_metadata,
    finishReason,
  };
}

function isInvalid(block: object): block is { type: 'invalid_tool_call'; id?: string; name?: string } {
  return 'type' in block && block.type === 'invalid_tool_call';
}

const piece = fc.oneof(
  fc.constantFrom('<think>', '</think>', '<th', 'ink>', '</thi', 'nk>', '\n\n', ' ', 'STOP', 'ST', 'OP'),
  fc.constantFrom(
    '<tool_call>\n{"name": "math_addition", "arguments": {"a": 1, "b": 2}}\n</tool_call>',
    '<tool_call>',
    '{"name": "math_addition", "arguments": {"a": 1',
    ', "b": "x\\"',
    '}}',
    '</tool_call>',
  ),
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
);

test('invoke, stream and streamEvents say the same for any script', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom<MessageOutputVersion>('v0', 'v1'),
      fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      fc.boolean(),
      async (pieces, outputVersion, maxTokens, hasTools) => {
        const create = (): ChatLocal =>
          new ChatLocal({
            // One model each: a shared prefix would change the usage.
            model: scriptedModel({ chatTemplate: thinkTemplate, outputs: [pieces] }),
            outputVersion,
            stop: ['STOP'],
            ...(maxTokens === undefined ? {} : { maxTokens }),
          });
        const options = hasTools ? { tools: [adder] } : {};
        const invoked = summarize(await create().invoke('x', options));
        const streamed = summarize(await joined(await create().stream('x', options)));
        const assembled = summarize(await create().streamEvents('x', options));
        expect(streamed).toEqual(invoked);
        expect(assembled).toEqual(invoked);
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);
