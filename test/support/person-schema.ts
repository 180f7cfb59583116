/** An object with most of what schemas bound: lengths, numbers, lists, choices, formats, and a property that may be left out. */
export const personSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 30 },
    age: { type: 'integer', minimum: 18, maximum: 99 },
    tags: { type: 'array', items: { type: 'string', maxLength: 12 }, minItems: 1, maxItems: 3 },
    kind: { enum: ['cat', 'dog'] },
    born: { type: 'string', format: 'date' },
  },
  required: ['name', 'age', 'tags', 'kind'],
} as const;
