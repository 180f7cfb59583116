import { AIMessage } from '@langchain/core/messages';
import type { BaseMessage } from '@langchain/core/messages';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { z as zod3 } from 'zod/v3';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { call } from './standard/standard-case.ts';

function say(...outputs: readonly (readonly string[])[]): ScriptedModel {
  return scriptedModel({ outputs, contextLength: 100_000 });
}

const jsonSchema = {
  title: 'person',
  description: 'A person.',
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
};
const ann = { name: 'Ann', age: 3 };

/** A Standard Schema that is of no library: it gives its JSON schema and validates. */
const standardSchema = {
  '~standard': {
    version: 1,
    vendor: 'own',
    validate: (value: unknown) =>
      typeof value === 'object' && value !== null && 'age' in value && Number.isInteger(value.age)
        ? { value: value as typeof ann }
        : { issues: [{ message: 'age is no integer' }] },
    jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
  },
} as const;

const schemas = [
  ['zod 4', z.object({ name: z.string(), age: z.number().int() })],
  ['zod 3', zod3.object({ name: zod3.string(), age: zod3.number().int() })],
  ['Standard Schema', standardSchema],
  ['JSON schema', jsonSchema],
] as const;

describe.each(schemas)('%s', (kind, schema) => {
  test('by a forced call, the default', async () => {
    const name = 'title' in schema || kind === 'Standard Schema' ? 'person' : 'extract';
    const model = say([call(name, ann)]);
    const structured = new ChatLocal(model).withStructuredOutput(schema as typeof jsonSchema);
    expect(await structured.invoke('x')).toEqual(ann);
    expect(model.requests[0]?.prompt).toContain(`"name": "${name}"`);
    expect(model.requests[0]?.prompt).toContain('"age"');
  });

  test.each(['jsonSchema', 'jsonMode'] as const)('by %s', async (method) => {
    const model = say(['{"name": "Ann", ', '"age": 3}']);
    const structured = new ChatLocal(model).withStructuredOutput(schema as typeof jsonSchema, { method });
    expect(await structured.invoke('x')).toEqual(ann);
  });

  test('raw as well; what cannot be parsed is null', async () => {
    const config = { method: 'jsonSchema', includeRaw: true } as const;
    const chat = new ChatLocal(say(['{"name": "Ann", "age": 3}'], ['{"name": "An']));
    const structured = chat.withStructuredOutput(schema as typeof jsonSchema, config);
    const good = await structured.invoke('x');
    expect(AIMessage.isInstance(good.raw)).toBe(true);
    expect(good.parsed).toEqual(ann);
    const bad = await structured.invoke('x');
    expect(bad.raw.text).toBe('{"name": "An');
    expect(bad.parsed).toBeNull();
  });

  test('what does not parse is an error', async () => {
    const chat = new ChatLocal(say(['I am', ' sorry.'], ['{"name": "An']));
    const byCall = chat.withStructuredOutput(schema as typeof jsonSchema);
    await expect(byCall.invoke('x')).rejects.toThrow(/Expected a call of/);
    const byText = chat.withStructuredOutput(schema as typeof jsonSchema, { method: 'jsonSchema' });
    await expect(byText.invoke('x')).rejects.toThrow();
  });
});

test.each(schemas.slice(0, 3))('%s validates what came', async (_kind, schema) => {
  const wrong = { name: 'Ann', age: 3.5 };
  const chat = new ChatLocal(say([call('extract', wrong)], [JSON.stringify(wrong)]));
  const byCall = chat.withStructuredOutput(schema as typeof jsonSchema, { name: 'extract' });
  await expect(byCall.invoke('x')).rejects.toThrow(/Failed to parse/);
  const byText = chat.withStructuredOutput(schema as typeof jsonSchema, { method: 'jsonSchema' });
  await expect(byText.invoke('x')).rejects.toThrow(/Failed to parse/);
});

test('what the request says of each method', async () => {
  const chat = new ChatLocal({ model: say() });
  const bindings = (method: string, strict?: boolean): unknown => {
    const structured = chat.withStructuredOutput(jsonSchema, {
      method,
      name: 'given',
      ...(strict === undefined ? {} : { strict }),
    });
    const { bound } = structured as unknown as { bound: { first: { config: unknown } } };
    return bound.first.config;
  };
  expect(bindings('functionCalling', true)).toMatchObject({
    tools: [{ type: 'function', function: { name: 'given', parameters: jsonSchema, strict: true } }],
    tool_choice: 'given',
    parallel_tool_calls: false,
    strict: true,
    ls_structured_output_format: { kwargs: { method: 'functionCalling' }, schema: jsonSchema },
  });
  expect(bindings('jsonSchema', true)).toMatchObject({
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'given', schema: jsonSchema, strict: true },
    },
    ls_structured_output_format: { kwargs: { method: 'jsonSchema' }, schema: jsonSchema },
  });
  expect(bindings('jsonMode')).toMatchObject({ response_format: { type: 'json_object' } });
  expect(() => bindings('other')).toThrow(/functionCalling/);
});

test("OpenAI's description of a function is a schema, too", async () => {
  const model = say([call('person', ann)]);
  const described = { name: 'person', description: 'A person.', parameters: jsonSchema };
  expect(await new ChatLocal(model).withStructuredOutput(described).invoke('x')).toEqual(ann);
});

test('a bad response_format is refused', async () => {
  const chat = new ChatLocal(say(['a']));
  const format = { type: 'yaml' } as never;
  await expect(chat.invoke('x', { response_format: format })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: { option: 'response_format' },
  });
  await expect(
    chat.invoke('x', { response_format: { type: 'json_schema', json_schema: {} } as never }),
  ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('partial objects stream', async () => {
  const model = say(['{"name": ', '"Ann", ', '"age": 3}']);
  const structured = new ChatLocal(model).withStructuredOutput(jsonSchema, { method: 'jsonSchema' });
  const parts = await collect(await structured.stream('x'));
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.at(-1)).toEqual(ann);
});

test('types follow the schema', () => {
  const chat = new ChatLocal({ model: say() });
  const schema = z.object({ name: z.string() });
  expectTypeOf(chat.withStructuredOutput(schema).invoke).returns.resolves.toEqualTypeOf<{ name: string }>();
  const raw = chat.withStructuredOutput(schema, { includeRaw: true });
  expectTypeOf(raw.invoke).returns.resolves.toEqualTypeOf<{ raw: BaseMessage; parsed: { name: string } }>();
});
