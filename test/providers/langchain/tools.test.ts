import type { AIMessage, AIMessageChunk, MessageOutputVersion } from '@langchain/core/messages';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { concat } from '@langchain/core/utils/stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedModel } from '../../../src/testing/scripted-model.ts';

const addUp = tool(({ a, b }) => String(a + b), {
  name: 'add-up',
  description: 'Adds two numbers.',
  schema: z.object({ a: z.number(), b: z.number() }),
});
const clock = { type: 'function', function: { name: 'clock', parameters: { type: 'object' } } };

const first = ['Let me ', 'see.\n', '<tool_call>\n{"name": "add-up", "argu', 'ments": {"a": 1, ', '"b": 2}}'];
const twoCalls = [
  ...first,
  '\n</tool_call>\n',
  '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>',
];

function say(...outputs: readonly (readonly string[])[]): ScriptedModel {
  return scriptedModel({ outputs });
}

interface Summary {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  readonly invalid: readonly (string | undefined)[];
  readonly finishReason: unknown;
}

function summarize(message: AIMessage | AIMessageChunk): Summary {
  const { finish_reason: finishReason } = message.response_metadata as { finish_reason?: unknown };
  // What core assembles from events has them in its content only.
  const blocks = typeof message.content === 'string' ? [] : message.content;
  const invalid = [...(message.invalid_tool_calls ?? []), ...blocks.filter(isInvalid)];
  return {
    text: message.text,
    calls: (message.tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    invalid: [...new Map(invalid.map(({ id, name }) => [id, name])).values()],
    finishReason,
  };
}

function isInvalid(block: object): block is { type: 'invalid_tool_call'; id?: string; name?: string } {
  return 'type' in block && block.type === 'invalid_tool_call';
}

/** What one script comes to on all three ways out of the model. */
async function summaries(
  pieces: readonly string[],
  outputVersion: MessageOutputVersion,
  maxTokens?: number,
): Promise<Summary[]> {
  const create = (): ReturnType<ChatLocal['bindTools']> =>
    new ChatLocal({
      model: say(pieces),
      outputVersion,
      ...(maxTokens === undefined ? {} : { maxTokens }),
    }).bindTools([addUp, clock]);
  const invoked = await create().invoke('x');
  let whole: AIMessageChunk | undefined;
  for await (const chunk of await create().stream('x')) {
    whole = whole === undefined ? chunk : concat(whole, chunk);
  }
  if (whole === undefined) throw new Error('the stream was empty');
  const direct = new ChatLocal({
    model: say(pieces),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  });
  const assembled = await direct.streamEvents('x', { tools: [addUp, clock] });
  return [invoked, whole, await assembled].map(summarize);
}

describe.each(['v0', 'v1'] as const)('%s', (version) => {
  test('calls come out complete, with the text before them', async () => {
    const expected: Summary = {
      text: 'Let me see.',
      calls: [
        { name: 'add-up', args: { a: 1, b: 2 } },
        { name: 'clock', args: {} },
      ],
      invalid: [],
      finishReason: 'tool_use',
    };
    expect(await summaries(twoCalls, version)).toEqual([expected, expected, expected]);
  });

  test('a call that is cut is an invalid one', async () => {
    for (const maxTokens of [4, 5]) {
      const all = await summaries(first, version, maxTokens);
      const isComplete = maxTokens === 5;
      for (const one of all) {
        expect(one).toMatchObject({
          text: 'Let me see.',
          invalid: isComplete ? [] : ['add-up'],
          finishReason: isComplete ? 'tool_use' : 'length',
        });
      }
    }
  });

  test('content blocks hold the calls', async () => {
    const message = await new ChatLocal({ model: say(twoCalls), outputVersion: version })
      .bindTools([addUp, clock])
      .invoke('x');
    expect(message.contentBlocks).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_call', name: 'add-up', args: { a: 1, b: 2 } },
      { type: 'tool_call', name: 'clock', args: {} },
    ]);
  });
});

test('arguments stream as they come', async () => {
  const deltas: unknown[] = [];
  for await (const chunk of await new ChatLocal(say(twoCalls)).bindTools([addUp, clock]).stream('x')) {
    for (const { index, name, args } of chunk.tool_call_chunks ?? []) deltas.push([index, name, args]);
  }
  expect(deltas).toEqual([
    [1, 'add-up', ''],
    [1, undefined, '{"a":1'],
    [1, undefined, ',"b":2}'],
    [2, 'clock', ''],
    [2, undefined, '{}'],
  ]);
});

test('results go back to the model', async () => {
  const model = say(twoCalls, ['It is 3.']);
  const bound = new ChatLocal(model).bindTools([addUp, clock]);
  const question = new HumanMessage('What is 1 + 2?');
  const answer = await bound.invoke([question]);
  const results = await Promise.all(
    (answer.tool_calls ?? []).map(
      async (call) =>
        new ToolMessage({
          content: call.name === 'clock' ? 'noon' : String(await addUp.invoke({ a: 1, b: 2 })),
          tool_call_id: call.id ?? '',
        }),
    ),
  );
  const last = await bound.invoke([question, answer, ...results]);
  expect(last.text).toBe('It is 3.');
  expect(model.requests[0]?.prompt).toContain('Adds two numbers.');
  expect(model.requests[1]?.prompt).toContain('"arguments": {"a": 1, "b": 2}');
  expect(model.requests[1]?.prompt).toContain('<tool_response>\n3\n</tool_response>');
  expect(model.requests[1]?.prompt).toContain('<tool_response>\nnoon\n</tool_response>');
});

test.each([
  ['none', []],
  [{ type: 'none' }, []],
] as const)('tool_choice %j leaves the tools out', async (choice, calls) => {
  const model = say(twoCalls);
  const message = await new ChatLocal(model).bindTools([addUp], { tool_choice: choice }).invoke('x');
  expect(message.tool_calls).toEqual(calls);
  expect(message.text).toContain('<tool_call>');
  expect(model.requests[0]?.prompt).not.toContain('add-up');
});

test('bad tools and choices', async () => {
  const chat = new ChatLocal(say(['a'], ['a'], ['a']));
  const refused = { code: 'INVALID_ARGUMENT' };
  await expect(chat.bindTools([addUp, addUp]).invoke('x')).rejects.toMatchObject(refused);
  await expect(chat.bindTools([{ type: 'web_search' }]).invoke('x')).rejects.toMatchObject(refused);
  await expect(chat.bindTools([addUp], { tool_choice: 'other' }).invoke('x')).rejects.toMatchObject(refused);
  await expect(chat.bindTools([addUp], { tool_choice: { a: 1 } }).invoke('x')).rejects.toMatchObject(refused);
});

const piece = fc.constantFrom(
  '<tool_call>',
  '</tool_call>',
  '{"name": "add-up", ',
  '"arguments": {"a": 1',
  ', "b": "x\\"',
  '"',
  '}',
  '}\n',
  'text ',
  '<tool',
);

test('invoke, stream and streamEvents agree on any script', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 14 }),
      fc.constantFrom<MessageOutputVersion>('v0', 'v1'),
      fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      async (pieces, version, maxTokens) => {
        const [invoked, streamed, assembled] = await summaries(pieces, version, maxTokens);
        expect(streamed).toEqual(invoked);
        expect(assembled).toEqual(invoked);
      },
    ),
    { numRuns: 100 },
  );
});
