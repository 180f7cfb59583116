import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { LanguageModelV4ToolResultOutput } from '@ai-sdk/provider';
import { expect, test } from 'vitest';
import { convertPrompt } from '../../../providers/ai-sdk/convert-prompt.ts';

test('every role of a conversation with tools', () => {
  expect(
    convertPrompt([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Weather in Oslo?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'I need ' },
          { type: 'reasoning', text: 'the tool.' },
          { type: 'text', text: 'Let me ' },
          { type: 'text', text: 'look.' },
          { type: 'custom', kind: 'other.thing' },
          { type: 'tool-call', toolCallId: 'a', toolName: 'weather', input: { city: 'Oslo' } },
          { type: 'tool-call', toolCallId: 'b', toolName: 'time', input: '' },
          { type: 'tool-call', toolCallId: 'c', toolName: 'broken', input: '{"city"' },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'a',
            toolName: 'weather',
            output: { type: 'json', value: { degrees: 3 } },
          },
          { type: 'tool-approval-response', approvalId: 'x', approved: true },
          {
            type: 'tool-result',
            toolCallId: 'b',
            toolName: 'time',
            output: { type: 'text', value: '12:00' },
          },
        ],
      },
    ]),
  ).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Weather in Oslo?' },
    {
      role: 'assistant',
      content: 'Let me look.',
      reasoning: 'I need the tool.',
      toolCalls: [
        { id: 'a', name: 'weather', arguments: { city: 'Oslo' } },
        { id: 'b', name: 'time', arguments: {} },
        { id: 'c', name: 'broken', arguments: { input: '{"city"' } },
      ],
    },
    { role: 'tool', content: '{"degrees":3}', toolCallId: 'a', toolName: 'weather' },
    { role: 'tool', content: '12:00', toolCallId: 'b', toolName: 'time' },
  ]);
});

test('several text parts stay parts, no part is an empty text', () => {
  expect(
    convertPrompt([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'user', content: [] },
    ]),
  ).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    { role: 'user', content: '' },
  ]);
});

test.each<[LanguageModelV4ToolResultOutput, string]>([
  [{ type: 'text', value: 'x' }, 'x'],
  [{ type: 'json', value: [1, null] }, '[1,null]'],
  [{ type: 'error-text', value: 'no' }, 'no'],
  [{ type: 'error-json', value: { code: 1 } }, '{"code":1}'],
  [{ type: 'execution-denied', reason: 'not now' }, 'not now'],
  [{ type: 'execution-denied' }, 'The execution of this tool was denied.'],
  [
    {
      type: 'content',
      value: [{ type: 'text', text: 'a' }, { type: 'custom' }, { type: 'text', text: 'b' }],
    },
    'ab',
  ],
])('tool output %j', (output, text) => {
  const [message] = convertPrompt([
    { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'a', toolName: 't', output }] },
  ]);
  expect(message?.content).toBe(text);
});

test.each(['user', 'assistant'] as const)('a file in a %s message is refused', (role) => {
  const content = [
    { type: 'file' as const, mediaType: 'image/png', data: { type: 'data' as const, data: 'AAAA' } },
  ];
  const attempt = (): unknown => convertPrompt([{ role, content }]);
  expect(attempt).toThrow(UnsupportedFunctionalityError);
  expect(attempt).toThrow('image/png');
});
