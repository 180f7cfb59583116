import { expect, test } from 'vitest';

import { scriptedModel } from '../src/testing.ts';

test('what a call is not held to is told with the name that the caller gave the tool', async () => {
  const parameters = { type: 'object', properties: { x: { type: 'array', uniqueItems: true } } };
  const model = scriptedModel({ outputs: [['Hi']] });
  const tools = [{ name: 'weather in Köln', parameters }];
  for await (const event of model.chat({ messages: [{ role: 'user', content: 'Hi' }], tools })) {
    if (event.type !== 'start') continue;
    expect(event.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching('^#/properties/x/uniqueItems of the tool "weather in Köln" is not enforced'),
    ]);
    return;
  }
  expect.unreachable('a model that begins with nothing');
});
