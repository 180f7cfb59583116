import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { expect, test } from 'vitest';
import { local } from '../../../providers/ai-sdk/index.ts';
import { RivuletError } from '../../../src/errors.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedPiece } from '../../../src/testing.ts';
import { partsOf } from '../../contract/language-model.ts';
import { checkParts } from '../../contract/language-model-parts.ts';
import type { StreamPart } from '../../contract/language-model-parts.ts';
import { thinkTemplate } from '../think-template.ts';

const tools: LanguageModelV4CallOptions['tools'] = ['add', 'find'].map((name) => ({
  type: 'function',
  name,
  inputSchema: { type: 'object' },
}));

/** Parts between metadata and finish, ids of calls by their order, and the reason. */
async function golden(
  pieces: readonly ScriptedPiece[],
  options: Partial<LanguageModelV4CallOptions> = {},
): Promise<unknown[]> {
  const model = local(scriptedModel({ chatTemplate: thinkTemplate, outputs: [pieces] }));
  const parts = await partsOf({ model, options });
  checkParts(parts);
  const ids = [...new Set(parts.filter(({ type }) => type === 'tool-input-start').map(({ id }) => id))];
  return parts.slice(2).map((part) => showIds(part, ids));
}

function showIds(part: StreamPart, ids: readonly unknown[]): unknown {
  const shown = (id: unknown): unknown => (ids.includes(id) ? `call ${ids.indexOf(id)}` : id);
  if (part.type === 'finish') return part['finishReason'];
  if (part.type === 'tool-call') return { ...part, toolCallId: shown(part['toolCallId']) };
  return 'id' in part ? { ...part, id: shown(part['id']) } : part;
}

test('parallel calls: each input is streamed, closed, and then given whole', async () => {
  const parts = await golden(
    [
      'Both.\n',
      '<tool_call>\n{"name": "add", "arguments": {"a": 1,',
      ' "b": 2}}\n</tool_call>\n',
      '<tool_call>\n{"name": "find", "arguments": {"text": "{}"}}\n</tool_call>',
    ],
    { tools },
  );
  expect(parts).toEqual([
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: 'Both.' },
    { type: 'text-end', id: '0' },
    { type: 'tool-input-start', id: 'call 0', toolName: 'add' },
    { type: 'tool-input-delta', id: 'call 0', delta: '{"a":1' },
    { type: 'tool-input-delta', id: 'call 0', delta: ',"b":2}' },
    { type: 'tool-input-end', id: 'call 0' },
    { type: 'tool-call', toolCallId: 'call 0', toolName: 'add', input: '{"a":1,"b":2}' },
    { type: 'tool-input-start', id: 'call 1', toolName: 'find' },
    { type: 'tool-input-delta', id: 'call 1', delta: '{"text":"{}"}' },
    { type: 'tool-input-end', id: 'call 1' },
    { type: 'tool-call', toolCallId: 'call 1', toolName: 'find', input: '{"text":"{}"}' },
    { unified: 'tool-calls', raw: 'eos' },
  ]);
});

test('cut inside a call: its input is closed, it is no call, and the reason is length', async () => {
  const parts = await golden(['<tool_call>\n{"name": "add", "arguments": {"a": 1,', ' "b', '": 2}}'], {
    tools,
    maxOutputTokens: 2,
  });
  expect(parts).toEqual([
    { type: 'tool-input-start', id: 'call 0', toolName: 'add' },
    { type: 'tool-input-delta', id: 'call 0', delta: '{"a":1' },
    expect.objectContaining({ type: 'tool-input-delta' }),
    { type: 'tool-input-end', id: 'call 0' },
    { unified: 'length', raw: 'max-tokens' },
  ]);
});

test('cut in the second call: the first one is given, the reason stays length', async () => {
  const parts = await golden(
    [
      '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>\n',
      '<tool_call>\n{"name": "find", "arguments": {"text": "',
      'never"}}',
    ],
    { tools, maxOutputTokens: 2 },
  );
  expect(parts.at(-1)).toEqual({ unified: 'length', raw: 'max-tokens' });
  expect(parts.filter((part) => (part as StreamPart).type === 'tool-call')).toEqual([
    { type: 'tool-call', toolCallId: 'call 0', toolName: 'add', input: '{}' },
  ]);
});

test('a marker that begins no call is text: nothing lost, nothing twice', async () => {
  const pieces = ['See <to', 'ol_', 'call', '> and ', '<think', 'ing> here'];
  const parts = await golden(pieces, { tools });
  const text = parts.map((part) => (part as { delta?: string }).delta ?? '').join('');
  expect(text).toBe(pieces.join(''));
  expect(parts.at(-1)).toEqual({ unified: 'stop', raw: 'eos' });
});

test('without tools the same text is text', async () => {
  const call = '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>';
  const parts = await golden([call], { tools, toolChoice: { type: 'none' } });
  expect(parts.map((part) => (part as { delta?: string }).delta ?? '').join('')).toBe(call);
});

test.each<[string, ScriptedPiece[], string[]]>([
  ['before the first token', [], []],
  ['in a thought', ['<think>', 'hm'], ['reasoning-start', 'reasoning-delta', 'reasoning-end']],
  ['in text', ['Hel'], ['text-start', 'text-delta', 'text-end']],
  [
    'in a call',
    ['<tool_call>\n{"name": "add", "arguments": {"a": 1,'],
    ['tool-input-start', 'tool-input-delta', 'tool-input-end'],
  ],
])('a failure %s: blocks closed, error, finish', async (_place, pieces, types) => {
  const failure = new RivuletError('ENGINE_FAILED', 'It broke.');
  const parts = await golden([...pieces, failure], { tools });
  expect(parts.slice(0, -2).map((part) => (part as StreamPart).type)).toEqual(types);
  expect(parts.slice(-2)).toEqual([
    { type: 'error', error: failure },
    { unified: 'error', raw: undefined },
  ]);
});

test('a raw part follows what begins the stream and precedes what was made of it', async () => {
  const model = local(scriptedModel({ outputs: [['Hi']] }));
  const parts = await partsOf({ model }, { includeRawChunks: true });
  expect(parts.map(({ type }) => type)).toEqual([
    'stream-start',
    'response-metadata',
    'raw',
    'raw',
    'text-start',
    'raw',
    'text-delta',
    'raw',
    'text-end',
    'raw',
    'finish',
  ]);
});
