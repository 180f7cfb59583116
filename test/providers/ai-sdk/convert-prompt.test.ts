import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { LanguageModelV4Prompt, LanguageModelV4ToolResultOutput } from '@ai-sdk/provider';
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
    'a\nb',
  ],
  [
    {
      type: 'content',
      value: [
        { type: 'text', text: 'Found:' },
        {
          type: 'file',
          mediaType: 'text/csv',
          filename: 'rivers.csv',
          data: { type: 'data', data: 'TmlsZSw2NjUw' },
        },
        { type: 'file', mediaType: 'application/json', data: { type: 'text', text: '{}' } },
      ],
    },
    'Found:\nrivers.csv:\nNile,6650\n{}',
  ],
  [{ type: 'content', value: [{ type: 'custom' }] }, ''],
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

test.each(['image/png', 'application/pdf', 'audio/wav', 'image/svg+xml', 'image', '*/*'])(
  'a result with a file of type %s is refused',
  (mediaType) => {
    const output = {
      type: 'content' as const,
      value: [{ type: 'file' as const, mediaType, data: { type: 'data' as const, data: 'AAAA' } }],
    };
    const attempt = (): unknown =>
      convertPrompt([
        { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'a', toolName: 't', output }] },
      ]);
    expect(attempt).toThrow(UnsupportedFunctionalityError);
    expect(attempt).toThrow(mediaType);
  },
);

type FilePart = (LanguageModelV4Prompt[number] & { role: 'user' })['content'][number] & { type: 'file' };

function userFile(part: Omit<FilePart, 'type'>): unknown {
  return convertPrompt([{ role: 'user', content: [{ type: 'file', ...part }] }])[0]?.content;
}

test.each<[string, Omit<FilePart, 'type'>, string]>([
  ['bytes', { mediaType: 'text/plain', data: { type: 'data', data: Buffer.from('žluť') } }, 'žluť'],
  ['base64', { mediaType: 'text/markdown', data: { type: 'data', data: 'IyBIaQ==' } }, '# Hi'],
  ['text', { mediaType: 'text/plain', data: { type: 'text', text: 'Hi' } }, 'Hi'],
  ['a kind alone', { mediaType: 'text', data: { type: 'data', data: 'SGk=' } }, 'Hi'],
  ['JSON', { mediaType: 'application/ld+json', data: { type: 'data', data: 'e30=' } }, '{}'],
  [
    'another encoding',
    { mediaType: 'text/plain; charset="ISO-8859-1"', data: { type: 'data', data: Uint8Array.of(0xe9) } },
    'é',
  ],
  [
    'a byte order mark',
    { mediaType: 'text/plain', data: { type: 'data', data: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61) } },
    'a',
  ],
  [
    'a name',
    { filename: 'a.txt', mediaType: 'text/plain', data: { type: 'text', text: 'Hi' } },
    'a.txt:\nHi',
  ],
])('a file of text is its text: %s', (_name, part, text) => {
  expect(userFile(part)).toBe(text);
});

test.each<[string, Omit<FilePart, 'type'>, string]>([
  ['a picture', { mediaType: 'image/png', data: { type: 'data', data: 'AAAA' } }, 'image/png'],
  ['no UTF-8', { mediaType: 'text/plain', data: { type: 'data', data: Uint8Array.of(0xff) } }, 'utf-8'],
  [
    'no encoding of that name',
    { mediaType: 'text/plain; charset=klingon', data: { type: 'data', data: 'AAAA' } },
    'klingon',
  ],
  [
    'an address',
    { mediaType: 'text/plain', data: { type: 'url', url: new URL('https://example.org/a.txt') } },
    'its address',
  ],
  [
    'a reference',
    { mediaType: 'text/plain', data: { type: 'reference', reference: { other: 'file-1' } } },
    'a reference',
  ],
])('a file is refused: %s', (_name, part, message) => {
  expect(() => userFile(part)).toThrow(UnsupportedFunctionalityError);
  expect(() => userFile(part)).toThrow(message);
});

test('text and a file are parts of one message', () => {
  const content = [
    { type: 'text' as const, text: 'Sum this up:' },
    { type: 'file' as const, mediaType: 'text/plain', data: { type: 'text' as const, text: 'Long.' } },
  ];
  expect(convertPrompt([{ role: 'user', content }])[0]?.content).toEqual([
    { type: 'text', text: 'Sum this up:' },
    { type: 'text', text: 'Long.' },
  ]);
});

test("results of the provider's own tools stand where they came", () => {
  expect(
    convertPrompt([
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I search.' },
          {
            type: 'tool-call',
            toolCallId: 'a',
            toolName: 'search',
            input: { text: 'Nile' },
            providerExecuted: true,
          },
          {
            type: 'tool-result',
            toolCallId: 'a',
            toolName: 'search',
            output: { type: 'json', value: ['6650 km'] },
          },
          { type: 'reasoning', text: 'That is it.' },
          { type: 'text', text: '6650 km.' },
        ],
      },
    ]),
  ).toEqual([
    {
      role: 'assistant',
      content: 'I search.',
      toolCalls: [{ id: 'a', name: 'search', arguments: { text: 'Nile' } }],
    },
    { role: 'tool', content: '["6650 km"]', toolCallId: 'a', toolName: 'search' },
    { role: 'assistant', content: '6650 km.', reasoning: 'That is it.' },
  ]);
});

test('parts that other providers made are passed over, and no message gets lost', () => {
  expect(
    convertPrompt([
      {
        role: 'assistant',
        content: [
          { type: 'custom', kind: 'other.thing' },
          { type: 'reasoning-file', mediaType: 'image/png', data: { type: 'data', data: 'AAAA' } },
        ],
      },
      { role: 'tool', content: [{ type: 'tool-approval-response', approvalId: 'x', approved: false }] },
      { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
    ]),
  ).toEqual([
    { role: 'assistant', content: '' },
    { role: 'user', content: 'Go on.' },
  ]);
});
