import { expect, test } from 'vitest';
import { z } from 'zod';

import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';

const schema = z.object({ city: z.string(), days: z.number().int() });
const value = { city: 'Paris', days: 3 };
const call = ['<tool_call>\n{"name": "extract", "arguments": ', JSON.stringify(value), '}\n</tool_call>'];
const text = ['{"city": "Pa', 'ris", "days": 3}'];

test('as the arguments of a call, which is demanded', async () => {
  const model = scriptedModel({ outputs: [call] });
  const structured = new ChatLocal(model).withStructuredOutput(schema);
  expect(await structured.invoke('Where to?')).toEqual(value);
  expect(model.requests[0]?.options).toMatchObject({
    toolChoice: { name: 'extract' },
    maxToolCalls: 1,
    tools: [{ name: 'extract', parameters: { type: 'object', required: ['city', 'days'] } }],
  });
});

test('as the text of the answer, held to the schema', async () => {
  const model = scriptedModel({ outputs: [text] });
  const structured = new ChatLocal(model).withStructuredOutput(schema, {
    method: 'jsonSchema',
    strict: true,
  });
  expect(await structured.invoke('Where to?')).toEqual(value);
  expect(model.requests[0]?.options).toMatchObject({
    responseFormat: { type: 'json', schema: { type: 'object', required: ['city', 'days'] } },
  });
});

test('as any JSON', async () => {
  const model = scriptedModel({ outputs: [text] });
  const json = new ChatLocal(model).withStructuredOutput(
    { type: 'object', properties: {} },
    { method: 'jsonMode' },
  );
  expect(await json.invoke('Where to?')).toEqual(value);
  expect(model.requests[0]?.options).toMatchObject({ responseFormat: { type: 'json' } });
});

test('with the message beside it; what cannot be read is null', async () => {
  const model = scriptedModel({ outputs: [text, ['none']] });
  const raw = new ChatLocal(model).withStructuredOutput(schema, { method: 'jsonSchema', includeRaw: true });
  expect(await raw.invoke('Where to?')).toMatchObject({ parsed: value, raw: { content: text.join('') } });
  expect(await raw.invoke('Where to?')).toMatchObject({ parsed: null });
});

test('another method is an error', () => {
  const chat = new ChatLocal(scriptedModel({ outputs: [] }));
  expect(() => chat.withStructuredOutput(schema, { method: 'guess' })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
