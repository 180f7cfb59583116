import { expect, test } from 'vitest';

import type { ChatRequest } from '../src/model.ts';
import { scriptedModel } from '../src/testing.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const fine = { name: 'fine', parameters: { type: 'object' } };
const wrong = { type: 'object', properties: { x: { $ref: '#/nowhere' } } };

async function failureOf(request: Partial<ChatRequest>): Promise<unknown> {
  const model = scriptedModel({ outputs: [['Hi']] });
  try {
    for await (const event of model.chat({ messages, ...request })) expect(event.type).toBe('nothing');
  } catch (error) {
    return error;
  }
  return undefined;
}

test('a schema that cannot be used is told with the name of its tool, as the caller knows it', async () => {
  for (const name of ['broken', 'weather in Köln']) {
    const tools = [fine, { name, parameters: wrong }, { name: 'later', parameters: { type: 'array' } }];
    expect(await failureOf({ tools, responseFormat: { type: 'json' } })).toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringMatching(`^The parameters of the tool "${name}": Expected a reference`),
      details: { option: 'tools', toolName: name, path: '#/properties/x/$ref' },
      cause: { code: 'SCHEMA_INVALID' },
    });
  }
});

test('one of the answer is not blamed on a tool', async () => {
  const request = { tools: [fine], responseFormat: { type: 'json', schema: wrong } } as const;
  const failure = await failureOf(request);
  expect(failure).toMatchObject({ code: 'SCHEMA_INVALID', message: expect.stringMatching('^Expected') });
  expect(failure).not.toHaveProperty('details.option');
});
