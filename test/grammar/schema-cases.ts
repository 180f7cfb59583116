import type { JSONSchema } from '../../src/chat/messages.ts';

/** Schemas with values to try; which of them are valid, a validator says. */
export interface SchemaCase {
  readonly schema: JSONSchema;
  readonly values: readonly unknown[];
  /** JSON pointers of what the grammar does not hold. */
  readonly unenforced?: readonly string[];
}

/** Values that every schema is tried with. */
export const commonValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2.5,
  100,
  '',
  'a',
  'foo',
  'Ünïcödé 😀',
  'quote " back \\ line \n',
  [],
  [1],
  [1, 'a', null],
  {},
  { a: 1 },
  { a: 'x', b: 2 },
  { foo: { bar: [true] } },
];

const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;

export const schemaCases: readonly SchemaCase[] = [
  { schema: true, values: [] },
  { schema: {}, values: [{ a: { b: { c: [[], {}] } } }] },
  { schema: { type: 'null' }, values: [] },
  { schema: { type: ['boolean', 'null'] }, values: [] },
  { schema: whole, values: [10, 123_456_789, -5, 0.5] },
  { schema: { type: 'number' }, values: [1e10, -0.25, 12.75, 3e-7] },
  { schema: { type: 'number', minimum: 0 }, values: [0, -0.5, 0.001, 1000.5] },
  { schema: { type: 'number', exclusiveMinimum: 0 }, values: [0, 0.001, -0.001, 7] },
  {
    schema: { type: 'number', minimum: -1.5, maximum: 2.75 },
    values: [-1.5, -1.6, -1.4, 2.75, 2.8, 2.7, -0.1, 1],
  },
  {
    schema: { type: 'number', exclusiveMinimum: 1.25, exclusiveMaximum: 1.5 },
    values: [1.25, 1.5, 1.3, 1.49, 1.26, 1.251],
  },
  { schema: { type: 'number', maximum: -3 }, values: [-3, -2.99, -3.01, -100] },
  { schema: { type: 'number', minimum: 1e-7 }, values: [1, 0.5, 0] },
  { schema: { type: 'integer', minimum: 5 }, values: [4, 5, 6, 10, 99, 100, 12_345] },
  {
    schema: { type: 'integer', maximum: 120, minimum: 18 },
    values: [17, 18, 19, 20, 99, 100, 119, 120, 121, 1200],
  },
  { schema: { type: 'integer', minimum: -12, exclusiveMaximum: 3 }, values: [-13, -12, -9, -1, 0, 2, 3] },
  {
    schema: { type: 'integer', exclusiveMinimum: 99, maximum: 1001 },
    values: [99, 100, 500, 1000, 1001, 1002],
  },
  { schema: { type: 'integer', multipleOf: 7 }, values: [0, 7, 14, 15, -21, -22, 700] },
  { schema: { type: 'integer', multipleOf: 5, minimum: 10, maximum: 20 }, values: [5, 10, 12, 15, 20, 25] },
  { schema: { type: 'number', multipleOf: 0.01 }, values: [0.01, 1.25, 1.255, 3] },
  {
    schema: { type: 'number', multipleOf: 0.75 },
    values: [0.75, 1],
    unenforced: ['#/multipleOf'],
  },
  { schema: { minimum: 3 }, values: [2, 3, 'x'] },
  { schema: text, values: ['x'.repeat(500), '\u0001', '\u{1F600}'] },
  { schema: { ...text, minLength: 2 }, values: ['ab', 'abc', '😀', '😀😀'] },
  { schema: { ...text, maxLength: 3 }, values: ['ab', 'abc', 'abcd', '😀😀😀', '😀😀😀😀'] },
  {
    schema: { ...text, minLength: 5, maxLength: 60 },
    values: ['abcd', 'abcde', 'x'.repeat(60), 'x'.repeat(61), '\n\n\n\n\n'],
  },
  { schema: { ...text, minLength: 100 }, values: ['x'.repeat(99), 'x'.repeat(100), 'x'.repeat(300)] },
  { schema: { ...text, pattern: '^[a-z]+$' }, values: ['abc', 'aBc', 'a1'] },
  { schema: { ...text, pattern: 'oo' }, values: ['foo', 'oo', 'o o', 'boots'] },
  { schema: { ...text, pattern: '^a|b$' }, values: ['ax', 'xb', 'xa', 'bx', 'ab'] },
  { schema: { ...text, pattern: String.raw`^\d{3}-\d{4}$` }, values: ['123-4567', '123-456', 'x123-4567'] },
  { schema: { ...text, pattern: String.raw`^\p{L}+$` }, values: ['Übung', 'a1', 'λόγος'] },
  {
    schema: { ...text, pattern: '^(?=.*[0-9])(?=.*[a-z]).{4,8}$' },
    values: ['abcd', 'abc1', '1a', 'a1b2c3d4', 'a1b2c3d4e'],
  },
  { schema: { ...text, pattern: '^(?!foo)' }, values: ['foo', 'fool', 'bar', 'fo'] },
  { schema: { ...text, pattern: '^[^"]*$', maxLength: 4 }, values: ['a"b', 'abcd', 'abcde', 'a\\b'] },
  {
    schema: { ...text, pattern: '^a+$', minLength: 3, maxLength: 5 },
    values: ['aa', 'aaa', 'aaaaa', 'aaaaaa', 'aab'],
  },
  { schema: { allOf: [{ ...text, pattern: '^a' }, { pattern: 'z$' }] }, values: ['az', 'a', 'z', 'abcz'] },
  { schema: { ...text, pattern: String.raw`\bword\b` }, values: ['word'], unenforced: ['#/pattern'] },
  {
    schema: { ...text, format: 'date' },
    values: ['2024-02-29', '2023-02-29', '2024-13-01', '2024-04-31', '2024-04-30'],
  },
  { schema: { ...text, format: 'time' }, values: ['12:30:00Z', '24:00:00Z', '23:59:59+02:00'] },
  {
    schema: { ...text, format: 'date-time' },
    values: ['2024-05-06T07:08:09Z', '2024-05-06T7:08:09Z', '2024-05-06T07:08:09.123-05:00'],
  },
  {
    schema: { ...text, format: 'uuid' },
    values: ['123e4567-e89b-12d3-a456-426614174000', '123e4567e89b12d3a456426614174000'],
  },
  { schema: { ...text, format: 'ipv4' }, values: ['127.0.0.1', '256.0.0.1', '1.2.3'] },
  {
    schema: { ...text, format: 'email' },
    values: [
      'a@b.de',
      'first.last@example.org',
      'a.b.c.d@x.y.example',
      `${'x'.repeat(64)}@example.org`,
      `${'x'.repeat(65)}@example.org`,
      'nobody',
    ],
  },
  { schema: { ...text, format: 'no-such-format' }, values: ['anything'], unenforced: ['#/format'] },
  { schema: { enum: ['a', 1, null, { x: [1, 2] }] }, values: [{ x: [1, 2] }, { x: [2, 1] }] },
  { schema: { const: 'foo' }, values: ['fo', 'fooo'] },
  { schema: { const: { a: 'x', b: 2 } }, values: [{ a: 'x', b: 3 }] },
  { schema: { enum: ['a', 'foo', 1], type: 'string', minLength: 2 }, values: [] },
  { schema: { type: 'array', items: whole }, values: [[1, 2, 3], [1, 'a'], [1.5]] },
  {
    schema: { type: 'array', items: whole, minItems: 2, maxItems: 3 },
    values: [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]],
  },
  {
    schema: { type: 'array', minItems: 30, maxItems: 40 },
    values: [Array(29).fill(1), Array(30).fill(1), Array(40).fill(1), Array(41).fill(1)],
  },
  {
    schema: { type: 'array', prefixItems: [text, whole], items: false },
    values: [['a'], ['a', 1], [1, 'a'], ['a', 1, 2]],
  },
  {
    schema: { type: 'array', prefixItems: [text, whole], minItems: 2 },
    values: [['a'], ['a', 1], ['a', 1, null]],
  },
  {
    schema: { type: 'array', prefixItems: [text], items: whole, maxItems: 3 },
    values: [
      ['a', 1, 2],
      ['a', 1, 2, 3],
      ['a', 'b'],
    ],
  },
  { schema: { type: 'array', maxItems: 0 }, values: [] },
  { schema: { type: 'array', uniqueItems: true }, values: [[1, 2]], unenforced: ['#/uniqueItems'] },
  { schema: { type: 'array', contains: whole }, values: [['a', 1]], unenforced: ['#/contains'] },
  {
    schema: { type: 'array', items: { type: 'array', items: { type: 'array', items: whole } } },
    values: [[[[1]], []], [[1]]],
  },
  { schema: { type: 'object' }, values: [{ a: { b: 1 }, c: [] }] },
  {
    schema: { type: 'object', properties: { a: whole, b: text } },
    values: [{ b: 'x' }, { a: 1, b: 'x' }, { a: 1, c: null }, { c: 1, d: 2 }],
  },
  {
    schema: { type: 'object', properties: { a: whole, b: text }, required: ['b'] },
    values: [{ b: 'x' }, { a: 1, b: 'x' }, { a: 1 }],
  },
  {
    schema: { type: 'object', properties: { a: whole, b: text, c: text }, additionalProperties: false },
    values: [{ c: 'x' }, { a: 1, c: 'x' }, { d: 1 }, { b: 'x', c: 'y' }],
  },
  {
    schema: { type: 'object', properties: { a: {} }, additionalProperties: whole },
    values: [
      { a: 'x', z: 1 },
      { a: 'x', z: 'y' },
      { ab: 1, b: 2 },
    ],
  },
  {
    schema: { type: 'object', additionalProperties: text },
    values: [
      { a: 'x', b: 'y' },
      { a: 'x', b: 1 },
    ],
  },
  { schema: { type: 'object', required: ['a', 'z'] }, values: [{ a: 1, z: 2 }, { z: 1 }] },
  {
    schema: { type: 'object', patternProperties: { '^x-': text }, additionalProperties: false },
    values: [{ 'x-a': 'v' }, { 'x-a': 1 }, { y: 'v' }],
  },
  {
    schema: { type: 'object', patternProperties: { a: whole, b: text } },
    values: [{ ab: 1 }, { a: 1 }, { b: 'x' }, { c: null }, { a: 'x' }],
  },
  {
    schema: { type: 'object', properties: { 'x-a': { minimum: 3 } }, patternProperties: { '^x-': whole } },
    values: [{ 'x-a': 3 }, { 'x-a': 2 }, { 'x-a': 3.5 }, { 'x-b': 2 }],
  },
  {
    schema: { type: 'object', propertyNames: { pattern: '^[a-z]{1,3}$' } },
    values: [{ abc: 1 }, { abcd: 1 }, { A: 1 }],
  },
  { schema: { type: 'object', propertyNames: { enum: ['a', 'b'] } }, values: [{ a: 1, b: 2 }, { c: 1 }] },
  {
    schema: { type: 'object', minProperties: 2, maxProperties: 3 },
    values: [
      { a: 1, b: 1, c: 1 },
      { a: 1, b: 1, c: 1, d: 1 },
    ],
  },
  {
    schema: {
      type: 'object',
      properties: { a: {}, b: {}, c: {} },
      additionalProperties: false,
      minProperties: 2,
    },
    values: [{ a: 1, c: 1 }, { b: 1, c: 1 }, { c: 1 }, { a: 1, b: 1, c: 1 }],
  },
  {
    schema: { type: 'object', properties: { a: {}, b: {} }, required: ['a'], maxProperties: 2 },
    values: [
      { a: 1, z: 1 },
      { a: 1, b: 1, z: 1 },
      { b: 1, z: 1 },
    ],
  },
  {
    schema: { type: 'object', dependentRequired: { a: ['b'] } },
    values: [{ a: 1, b: 1 }, { b: 1 }, { a: 1 }],
  },
  {
    schema: { type: 'object', dependentSchemas: { a: { properties: { b: whole } } } },
    values: [{ a: 1, b: 1 }, { a: 1, b: 'x' }, { b: 'x' }],
  },
  { schema: { anyOf: [text, { type: 'integer', minimum: 50 }] }, values: [49, 50] },
  {
    schema: { type: 'object', properties: { a: whole }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    values: [{ b: 1 }, { c: 1 }, { a: 1, b: 'x' }],
  },
  {
    schema: {
      oneOf: [
        { type: 'object', properties: { kind: { const: 'x' }, v: whole }, required: ['kind'] },
        { type: 'object', properties: { kind: { const: 'y' }, v: text }, required: ['kind'] },
      ],
    },
    values: [{ kind: 'x', v: 1 }, { kind: 'y', v: 1 }, { kind: 'y', v: 's' }, { kind: 'z' }],
  },
  {
    schema: { oneOf: [{ multipleOf: 3 }, { multipleOf: 5 }], type: 'integer' },
    values: [3, 5, 7, 9, 10],
    unenforced: ['#/oneOf'],
  },
  {
    schema: {
      allOf: [{ properties: { a: whole } }, { properties: { b: text }, required: ['b'] }],
      type: 'object',
    },
    values: [{ a: 1, b: 'x' }, { a: 'x', b: 'x' }, { a: 1 }],
  },
  { schema: { allOf: [{ type: ['string', 'integer'] }, { type: ['integer', 'null'] }] }, values: [] },
  { schema: { allOf: [{ minimum: 3 }, { maximum: 8 }], type: 'integer' }, values: [2, 3, 8, 9] },
  { schema: { not: { type: 'string' } }, values: [] },
  { schema: { type: 'object', not: { required: ['a'] } }, values: [{ b: 1 }] },
  { schema: { ...text, not: { enum: ['a', 'foo'] } }, values: ['fo', 'fooo', 'b'] },
  {
    schema: {
      type: 'object',
      properties: { k: { enum: ['p', 'q'] } },
      required: ['k'],
      if: { properties: { k: { const: 'p' } } },
      // oxlint-disable-next-line unicorn/no-thenable -- a schema is no promise
      then: { required: ['v'] },
      else: { required: ['w'] },
    },
    values: [
      { k: 'p', v: 1 },
      { k: 'p', w: 1 },
      { k: 'q', w: 1 },
      { k: 'q', v: 1 },
      { k: 'r', w: 1 },
    ],
  },
  {
    schema: {
      $defs: {
        node: {
          type: 'object',
          properties: { value: whole, next: { $ref: '#/$defs/node' } },
          required: ['value'],
          additionalProperties: false,
        },
      },
      $ref: '#/$defs/node',
    },
    values: [
      { value: 1 },
      { value: 1, next: { value: 2, next: { value: 3 } } },
      { value: 1, next: { x: 1 } },
    ],
  },
  {
    schema: {
      type: 'object',
      properties: { children: { type: 'array', items: { $ref: '#' } } },
      additionalProperties: false,
    },
    values: [{ children: [{}, { children: [] }] }, { children: [{ a: 1 }] }],
  },
  {
    schema: { definitions: { 'a/b~c': whole }, type: 'array', items: { $ref: '#/definitions/a~1b~0c' } },
    values: [[1, 2], ['x']],
  },
  { schema: { $defs: { named: { $anchor: 'name', type: 'boolean' } }, $ref: '#name' }, values: [] },
  {
    schema: {
      $ref: '#/$defs/a',
      $defs: { a: { allOf: [{ $ref: '#/$defs/b' }, { maxLength: 3 }] }, b: text },
    },
    values: ['abc', 'abcd'],
  },
  {
    schema: {
      type: 'object',
      properties: { a: whole },
      allOf: [{ properties: { b: whole } }],
      unevaluatedProperties: false,
    },
    values: [
      { a: 1, b: 2 },
      { a: 1, c: 1 },
    ],
  },
  {
    schema: {
      type: 'object',
      properties: { 'quote"key': whole, 'back\\slash': whole, 'ünï😀': whole },
      additionalProperties: false,
    },
    values: [{ 'quote"key': 1 }, { 'back\\slash': 1 }, { 'ünï😀': 1 }],
  },
];
