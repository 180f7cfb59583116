import { describe, expect, it } from 'vitest';

import { describeFormat } from '../../src/chat/describe-format.ts';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
} as const;
const told = `Answer with JSON that is valid under this JSON schema:\n${JSON.stringify(schema)}`;
const ask = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];

describe('a model is told of the format of its answer', () => {
  it('in the words of the system, or of the user where there is no place for these', () => {
    const format = { type: 'json', schema } as const;
    expect(describeFormat(ask('Where to?'), format, () => true)).toEqual([
      { role: 'system', content: told },
      ...ask('Where to?'),
    ]);
    expect(describeFormat(ask('Where to?'), format, () => false)).toEqual(ask(`${told}\n\nWhere to?`));
  });

  it('but not of what the conversation says already', () => {
    const messages = ask('Give me the city and the number of days.');
    expect(describeFormat(messages, { type: 'json', schema }, () => true)).toBe(messages);
    const json = ask('Answer in JSON.');
    expect(describeFormat(json, { type: 'json' }, () => true)).toBe(json);
    expect(describeFormat(messages, { type: 'json' }, () => true)).toHaveLength(2);
  });

  it('with its name and description, which the conversation may not know while it names the properties', () => {
    const named = { type: 'json', schema, name: 'trip', description: 'A journey by train.' } as const;
    const messages = ask('Give me the city and the number of days.');
    expect(describeFormat(messages, named, () => true)).toEqual([
      { role: 'system', content: told.replace('JSON', 'JSON (trip: A journey by train.)') },
      ...messages,
    ]);
    expect(describeFormat(messages, { ...named, description: 'the number of days' }, () => true)).toBe(
      messages,
    );
    expect(describeFormat(ask('Where to?'), { type: 'json', name: 'trip' }, () => true)[0]).toEqual({
      role: 'system',
      content: 'Answer with JSON (trip).',
    });
  });

  it('always or never where that is asked for', () => {
    const known = ask('Give me the city and the number of days.');
    expect(describeFormat(known, { type: 'json', schema, inPrompt: true }, () => true)).toHaveLength(2);
    const unknown = ask('Where to?');
    expect(describeFormat(unknown, { type: 'json', schema, inPrompt: false }, () => true)).toBe(unknown);
  });

  it('and not of text', () => {
    const messages = ask('Hi');
    expect(describeFormat(messages, { type: 'text' }, () => true)).toBe(messages);
    expect(describeFormat(messages, undefined, () => true)).toBe(messages);
  });
});
