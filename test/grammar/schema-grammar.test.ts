import { validate } from '@cfworker/json-schema';
import { describe, expect, it } from 'vitest';

import type { JSONSchema } from '../../src/chat/messages.ts';
import { createAutomaton } from '../../src/grammar/automaton.ts';
import { schemaGrammar } from '../../src/grammar/schema/schema-grammar.ts';
import { acceptor, schemaAcceptor } from './accepts.ts';
import { commonValues, schemaCases } from './schema-cases.ts';

function isValid(value: unknown, schema: JSONSchema): boolean {
  return validate(value, structuredClone(schema) as never, '2020-12').valid;
}

const accept = (schema: JSONSchema, json: string): boolean => acceptor(schemaGrammar(schema).grammar)(json);

describe('what a grammar accepts is what a validator calls valid', () => {
  let tried = 0;
  it.each(schemaCases.map((each) => [JSON.stringify(each.schema), each] as const))('%s', (_, each) => {
    const { schema, values, unenforced = [] } = each;
    const acceptance = schemaAcceptor(schema);
    expect(acceptance.unenforced).toEqual(unenforced);
    for (const value of [...values, ...commonValues]) {
      tried += 1;
      const expected = isValid(value, schema);
      // What is not held may come out; what is valid must be able to.
      if (unenforced.length > 0 && !expected) continue;
      expect({ value, accepted: acceptance.accepts(value) }).toEqual({ value, accepted: expected });
    }
  });

  it('in more than 400 cases', () => {
    expect(tried).toBeGreaterThan(400);
  });
});

describe('how JSON is written', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'array', items: { type: 'string' } } },
    required: ['a', 'b'],
    additionalProperties: false,
  };

  it.each([
    '{"a":1,"b":["x","y"]}',
    '{"a": 1, "b": ["x", "y"]}',
    '{ "a": 1, "b": [ "x" ] }',
    '{\n  "a": 1,\n  "b": [\n    "x",\n    "y"\n  ]\n}',
    '{\n\t"a": 1,\n\t"b": []\n}',
  ])('%j', (json) => {
    expect(accept(schema, json)).toBe(true);
  });

  it.each([
    '{"a":1,"b":[]',
    '{"a":01,"b":[]}',
    '{"a":1 ,"b":[]}',
    "{'a':1,'b':[]}",
    '{"a":1,"b":["x",]}',
    '{\n\n\n"a":1,"b":[]}',
  ])('not %j', (json) => {
    expect(accept(schema, json)).toBe(false);
  });

  it('escapes of strings are whole characters, and no surrogate stands alone', () => {
    const string = { type: 'string', maxLength: 1 };
    for (const json of ['"\\u00e4"', '"\\ud83d\\ude00"', '"\\n"', '"\\/"']) {
      expect({ json, accepted: accept(string, json) }).toEqual({ json, accepted: true });
    }
    for (const json of ['"\\ud83d"', '"\\x41"', '"\n"', '"\\u00e4\\u00e4"', '"\\ude00\\ud83d"']) {
      expect({ json, accepted: accept(string, json) }).toEqual({ json, accepted: false });
    }
  });

  it('a key that is spelled in another way escapes nothing', () => {
    const closed = { type: 'object', properties: { ab: { type: 'integer' } } };
    expect(accept(closed, '{"ab": 1}')).toBe(true);
    expect(accept(closed, '{"\\u0061b": "x"}')).toBe(false);
    expect(accept(closed, '{"ab": 1, "ab": "x"}')).toBe(false);
  });
});

describe('a root', () => {
  it('with properties is meant as an object', () => {
    const { accepts } = schemaAcceptor({ properties: { a: {} } });
    expect([accepts({ a: 1 }), accepts('a'), accepts([1])]).toEqual([true, false, false]);
  });

  it('of arguments has no others than those that it names', () => {
    const { grammar } = schemaGrammar({ type: 'object', properties: { a: {} } }, { closesRoot: true });
    const accepts = acceptor(grammar);
    expect([accepts('{"a": {"b": 1}}'), accepts('{"b": 1}')]).toEqual([true, false]);
  });
});

describe('a bad schema', () => {
  it.each<readonly [JSONSchema, string]>([
    [{ type: 'text' }, '#/type'],
    [{ properties: { a: { type: 'integer', minimum: 'x' } } }, '#/properties/a/minimum'],
    [{ items: { $ref: '#/$defs/none' } }, '#/items/$ref'],
    [{ $ref: 'https://example.org/schema.json' }, '#/$ref'],
    [{ type: 'string', pattern: '(' }, '#/pattern'],
    [{ required: 'a' }, '#/required'],
    [{ enum: [] }, '#'],
    [false, '#'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, '#'],
    [{ properties: [] } as never, '#/properties'],
  ])('%j: SCHEMA_INVALID at %s', (schema, path) => {
    expect(() => schemaGrammar(schema)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_INVALID', details: { path } }),
    );
  });

  it('that only recursion could fill is impossible', () => {
    const schema = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
    expect(() => createAutomaton(schemaGrammar(schema).grammar)).toThrow(
      expect.objectContaining({ code: 'GRAMMAR_INVALID' }),
    );
  });

  it.each<readonly [string, () => JSONSchema]>([
    ['nested too deep', () => nested(200)],
    ['too long', () => ({ enum: ['x'.repeat(3_000_000)] })],
    [
      'with too many combinations',
      () => ({
        allOf: Array.from({ length: 12 }, (_, index) => ({
          anyOf: [{ required: [`a${index}`] }, { required: [`b${index}`] }],
        })),
      }),
    ],
  ])('%s: GRAMMAR_TOO_LARGE', (_, schema) => {
    expect(() => schemaGrammar(schema())).toThrow(expect.objectContaining({ code: 'GRAMMAR_TOO_LARGE' }));
  });

  it('a pattern that explodes is not enforced, and takes no time', () => {
    const start = performance.now();
    const { unenforced } = schemaGrammar({ type: 'string', pattern: '(a|b)*a(a|b){18}' });
    expect(unenforced.map(({ path }) => path)).toEqual(['#/pattern']);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("the caller's schema stays as it is", () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/x' } },
      $defs: { x: { type: 'string' } },
    };
    const before = structuredClone(schema);
    schemaGrammar(Object.freeze(schema));
    expect(schema).toEqual(before);
    expect(Object.getOwnPropertyNames(schema.properties.a)).toEqual(['$ref']);
  });
});

function nested(depth: number): JSONSchema {
  let schema: JSONSchema = { type: 'string' };
  for (let level = 0; level < depth; level += 1) schema = { type: 'array', items: schema };
  return schema;
}
