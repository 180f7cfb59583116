import {
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import type { BaseMessage } from '@langchain/core/messages';
import { describe, expect, test } from 'vitest';
import { convertMessages } from '../../../providers/langchain/convert-messages.ts';
import type { ChatMessage as OurMessage } from '../../../src/chat/messages.ts';

const call = { id: '1', name: 'weather', args: { city: 'Oslo' }, type: 'tool_call' as const };
const ourCall = { id: '1', name: 'weather', arguments: { city: 'Oslo' } };

test.each<[string, BaseMessage, OurMessage]>([
  ['system', new SystemMessage('Be brief.'), { role: 'system', content: 'Be brief.' }],
  [
    'system blocks, as agents send them',
    new SystemMessage({ content: [{ type: 'text', text: 'Be brief.' }] }),
    { role: 'system', content: 'Be brief.' },
  ],
  [
    'developer',
    new SystemMessage({ content: 'Be brief.', additional_kwargs: { __openai_role__: 'developer' } }),
    { role: 'system', content: 'Be brief.' },
  ],
  ['human', new HumanMessage('Hi'), { role: 'user', content: 'Hi' }],
  [
    'human with two texts',
    new HumanMessage({
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    }),
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
  ],
  [
    'a text file',
    new HumanMessage({ content: [{ type: 'file', source_type: 'text', text: 'notes' }] }),
    { role: 'user', content: 'notes' },
  ],
  ['a free role', new ChatMessage('x', 'critic'), { role: 'critic', content: 'x' }],
  ['a free role that we know', new ChatMessage('x', 'human'), { role: 'user', content: 'x' }],
  ['ai', new AIMessage('Hello'), { role: 'assistant', content: 'Hello' }],
  [
    'the name of an agent stays out',
    new AIMessage({ content: 'Hello', name: 'model' }),
    { role: 'assistant', content: 'Hello' },
  ],
  ['a chunk in a history', new AIMessageChunk('Hello'), { role: 'assistant', content: 'Hello' }],
  [
    'v0 thoughts',
    new AIMessage({ content: '42', additional_kwargs: { reasoning_content: 'hm' } }),
    { role: 'assistant', content: '42', reasoning: 'hm' },
  ],
  [
    'v1 thoughts and text',
    new AIMessage({
      content: [
        { type: 'reasoning', reasoning: 'hm' },
        { type: 'text', text: '4' },
        { type: 'text', text: '2' },
      ],
    }),
    { role: 'assistant', content: '42', reasoning: 'hm' },
  ],
  [
    'thoughts of another provider',
    new AIMessage({
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'x' },
        { type: 'redacted_thinking', data: 'y' },
        { type: 'text', text: '42' },
      ],
    }),
    { role: 'assistant', content: '42', reasoning: 'hm' },
  ],
  [
    'tool calls',
    new AIMessage({ content: '', tool_calls: [call] }),
    { role: 'assistant', content: '', toolCalls: [ourCall] },
  ],
  [
    'the same call in the content',
    new AIMessage({
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'tool_use', id: '1', name: 'weather', input: { city: 'Oslo' } },
      ],
      tool_calls: [call],
    }),
    { role: 'assistant', content: 'Look:', toolCalls: [ourCall] },
  ],
  [
    'a call in the content only',
    new AIMessage({ content: [{ type: 'tool_call', id: '1', name: 'weather', args: { city: 'Oslo' } }] }),
    { role: 'assistant', content: '', toolCalls: [ourCall] },
  ],
  [
    'an invalid call shows what the model wrote',
    new AIMessage({
      content: '',
      invalid_tool_calls: [
        { id: '1', name: 'weather', args: '{"city', error: 'bad', type: 'invalid_tool_call' },
      ],
    }),
    {
      role: 'assistant',
      content: '',
      toolCalls: [{ id: '1', name: 'weather', arguments: { input: '{"city' } }],
    },
  ],
  [
    'the legacy function call',
    new AIMessage({
      content: '',
      additional_kwargs: { function_call: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    }),
    {
      role: 'assistant',
      content: '',
      toolCalls: [{ id: 'weather', name: 'weather', arguments: { city: 'Oslo' } }],
    },
  ],
  [
    'a tool result with its name',
    new ToolMessage({ content: '3°', tool_call_id: '1', name: 'weather', artifact: { secret: true } }),
    { role: 'tool', content: '3°', toolCallId: '1', toolName: 'weather' },
  ],
  [
    'a failed tool with blocks',
    new ToolMessage({ content: [{ type: 'text', text: 'no' }], tool_call_id: '1', status: 'error' }),
    { role: 'tool', content: 'no', toolCallId: '1' },
  ],
  [
    'the legacy function result',
    new FunctionMessage({ content: '3°', name: 'weather' }),
    { role: 'tool', content: '3°', toolName: 'weather', toolCallId: 'weather' },
  ],
])('%s', (_name, message, expected) => {
  expect(convertMessages([message])).toEqual([expected]);
});

test('a result without a name finds it in its call', () => {
  const [, result] = convertMessages([
    new AIMessage({ content: '', tool_calls: [call] }),
    new ToolMessage({ content: '3°', tool_call_id: '1' }),
  ]);
  expect(result).toEqual({ role: 'tool', content: '3°', toolCallId: '1', toolName: 'weather' });
});

describe('what no text model can read', () => {
  test.each([
    { type: 'image_url', image_url: 'https://example.test/cat.png' },
    { type: 'image', data: 'AAAA', mimeType: 'image/png' },
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    { type: 'file', data: 'AAAA', mimeType: 'application/pdf' },
  ])('$type', (block) => {
    const attempt = (): unknown => convertMessages([new HumanMessage({ content: [block] })]);
    expect(attempt).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', details: { block: block.type } }));
  });

  test('a message that is an instruction to a store', () => {
    expect(() => convertMessages([new RemoveMessage({ id: 'x' })])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
