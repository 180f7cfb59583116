import { expect, test } from 'vitest';
import { checkParts } from './language-model-parts.ts';
import type { StreamPart } from './language-model-parts.ts';

const usage = {
  inputTokens: { total: 3, noCache: 1, cacheRead: 2, cacheWrite: undefined },
  outputTokens: { total: 2, text: 2, reasoning: 0 },
};
const begin: StreamPart[] = [
  { type: 'stream-start', warnings: [] },
  { type: 'response-metadata', id: 'gen-1', modelId: 'm', timestamp: new Date(0) },
];
const text: StreamPart[] = [
  { type: 'text-start', id: '0' },
  { type: 'text-delta', id: '0', delta: 'Hi' },
  { type: 'text-end', id: '0' },
];
const call: StreamPart[] = [
  { type: 'tool-input-start', id: 'a', toolName: 'add' },
  { type: 'tool-input-delta', id: 'a', delta: '{"a":' },
  { type: 'tool-input-delta', id: 'a', delta: '1}' },
  { type: 'tool-input-end', id: 'a' },
  { type: 'tool-call', toolCallId: 'a', toolName: 'add', input: '{"a":1}' },
];
const finish = (unified: string, raw: string | undefined = 'eos'): StreamPart => ({
  type: 'finish',
  finishReason: { unified, raw },
  usage,
});
const error: StreamPart = { type: 'error', error: 'broken' };

test.each([
  ['text', [...begin, ...text, finish('stop')]],
  ['text and a call', [...begin, ...text, ...call, finish('tool-calls')]],
  ['a cut call', [...begin, ...call.slice(0, 2), ...call.slice(3, 4), finish('length')]],
  ['a failure', [...begin, ...text, error, finish('error', undefined)]],
  ['a failure at once', [begin[0]!, error, finish('error', undefined)]],
  ['nothing', [...begin, finish('stop')]],
])('%s is in order', (_name, parts) => {
  expect(() => checkParts(parts)).not.toThrow();
});

test.each<[string, StreamPart[], string]>([
  ['no start', [begin[1]!, ...text, finish('stop')], 'stream-start comes first'],
  ['two starts', [begin[0]!, ...begin, finish('stop')], 'stream-start comes first'],
  ['no metadata', [begin[0]!, ...text, finish('stop')], 'response-metadata comes before'],
  ['an open block', [...begin, ...text.slice(0, 2), finish('stop')], 'every block is closed'],
  ['a delta of no block', [...begin, text[1]!, finish('stop')], 'belongs to the open block'],
  ['an empty block', [...begin, text[0]!, text[2]!, finish('stop')], 'no block is empty'],
  ['an id twice', [...begin, ...text, ...text, finish('stop')], 'its id is new'],
  [
    'other input than streamed',
    [...begin, ...call.toSpliced(2, 1), finish('tool-calls')],
    'equals the joined',
  ],
  ['a call without input', [...begin, call[4]!, finish('tool-calls')], 'id of the input before it'],
  ['a call and stop', [...begin, ...call, finish('stop')], 'calls finish with tool-calls'],
  ['tool-calls without a call', [...begin, ...text, finish('tool-calls')], 'calls finish with tool-calls'],
  ['text after finish', [...begin, finish('stop'), ...text], 'nothing comes after finish'],
  ['no finish', [...begin, ...text], 'no finish'],
  ['a ping', [...begin, { type: 'ping' }, finish('stop')], 'every release of ai 7'],
  ['a new reason', [...begin, finish('interrupted')], 'every release knows'],
  ['an error that ends well', [...begin, error, finish('stop')], 'stands for an error part'],
  ['an error in a block', [...begin, text[0]!, error, finish('error')], 'closed before it'],
  [
    'a usage with a key missing',
    [...begin, { ...finish('stop'), usage: { ...usage, inputTokens: { total: 3 } } }],
    'has all keys',
  ],
  [
    'a usage that does not add up',
    [...begin, { ...finish('stop'), usage: { ...usage, outputTokens: { ...usage.outputTokens, text: 1 } } }],
    'adds up',
  ],
])('%s is out of order', (_name, parts, message) => {
  expect(() => checkParts(parts)).toThrow(message);
});
