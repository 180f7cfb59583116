import { generateText } from 'ai';
import { afterAll, expect, test } from 'vitest';

import { local } from '../../providers/ai-sdk/index.ts';
import { defaultModel } from '../support/default-model.ts';

const model = local(defaultModel, { contextLength: 1024 });
afterAll(() => local.unload());

const ask = (content: string) =>
  generateText({
    model,
    messages: [
      { role: 'user', content: 'Count from one to ten in digits.' },
      { role: 'assistant', content },
    ],
    temperature: 0,
    maxOutputTokens: 16,
  });

test('the default model goes on where its answer ended', async () => {
  const { text, warnings } = await ask('1, 2, 3, 4,');
  expect(warnings ?? []).toEqual([]);
  expect(text).toMatch(/^ 5, 6/);
  // Once more from the middle of what it said: greedy, so it says the rest.
  const [, rest = ''] = text.split('5, 6,');
  expect((await ask('1, 2, 3, 4, 5, 6,')).text.startsWith(rest)).toBe(true);
});
