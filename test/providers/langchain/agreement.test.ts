import type { AIMessage, AIMessageChunk, MessageOutputVersion } from '@langchain/core/messages';
import { concat } from '@langchain/core/utils/stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { thinkTemplate } from '../think-template.ts';

interface Summary {
  readonly text: string;
  readonly reasoning: string;
  readonly usage: unknown;
  readonly finishReason: unknown;
}

function summarize(message: AIMessage | AIMessageChunk): Summary {
  const reasoning = message.contentBlocks
    .map((block) => (block.type === 'reasoning' ? block.reasoning : ''))
    .join('');
  const { finish_reason: finishReason } = message.response_metadata as { finish_reason?: unknown };
  return { text: message.text, reasoning, usage: message.usage_metadata, finishReason };
}

const piece = fc.oneof(
  fc.constantFrom('<think>', '</think>', '<th', 'ink>', '</thi', 'nk>', '\n\n', ' ', 'STOP', 'ST', 'OP'),
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
);

test('invoke, stream and streamEvents say the same for any script', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom<MessageOutputVersion>('v0', 'v1'),
      fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      async (pieces, outputVersion, maxTokens) => {
        const create = (): ChatLocal =>
          new ChatLocal({
            // One model each: a shared prefix would change the usage.
            model: scriptedModel({ chatTemplate: thinkTemplate, outputs: [pieces] }),
            outputVersion,
            stop: ['STOP'],
            ...(maxTokens === undefined ? {} : { maxTokens }),
          });
        const invoked = summarize(await create().invoke('x'));
        let whole: AIMessageChunk | undefined;
        for await (const chunk of await create().stream('x')) {
          whole = whole === undefined ? chunk : concat(whole, chunk);
        }
        if (whole === undefined) throw new Error('The stream was empty.');
        const assembled = summarize(await create().streamEvents('x'));
        expect(summarize(whole)).toEqual(invoked);
        expect(assembled).toEqual(invoked);
      },
    ),
    { numRuns: 150 },
  );
});
