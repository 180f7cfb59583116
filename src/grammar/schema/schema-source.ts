import { RivuletError } from '../../errors.ts';
import type { JSONSchema } from '../../chat/messages.ts';
import { grammarLimits } from '../grammar-limits.ts';

export type SchemaObject = Readonly<Record<string, unknown>>;
export type Schema = SchemaObject | boolean;

const typeNames: ReadonlySet<unknown> = new Set([
  'null',
  'boolean',
  'integer',
  'number',
  'string',
  'array',
  'object',
]);
const schemaKeys = [
  'additionalItems',
  'additionalProperties',
  'contains',
  'else',
  'if',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const listKeys = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const mapKeys = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties'];
const countKeys = ['maxItems', 'maxLength', 'maxProperties', 'minItems', 'minLength', 'minProperties'];
const numberKeys = ['maximum', 'minimum', 'multipleOf'];

/** A schema that was checked: where its parts are, and what references lead to. */
export class SchemaSource {
  readonly root: Schema;
  readonly #paths = new WeakMap<SchemaObject, string>();
  readonly #anchors = new Map<string, SchemaObject>();

  /** @throws {RivuletError} `SCHEMA_INVALID` naming the place; `GRAMMAR_TOO_LARGE` */
  constructor(schema: JSONSchema) {
    this.root = copy(schema);
    this.#check(this.root, '#', 0);
  }

  /** Where a part of the schema stands, as a JSON pointer; parts that were made take the place of what made them. */
  pathOf(schema: Schema): string {
    return typeof schema === 'boolean' ? '#' : (this.#paths.get(schema) ?? '#');
  }

  /** A part that was made from another one. */
  derive(from: SchemaObject, made: SchemaObject): SchemaObject {
    this.#paths.set(made, this.pathOf(from));
    return made;
  }

  /** @throws {RivuletError} `SCHEMA_INVALID` for references that lead nowhere or out of the schema */
  resolve(reference: string, from: SchemaObject): Schema {
    const named = this.#anchors.get(reference);
    if (named !== undefined) return named;
    if (reference === '#') return this.root;
    if (!reference.startsWith('#/')) {
      throw invalid(
        `${this.pathOf(from)}/$ref`,
        'a reference inside of the schema',
        `"${reference}"`,
        'Put what it means into $defs.',
      );
    }
    let at: unknown = this.root;
    for (const part of reference.slice(2).split('/')) {
      const key = decodePart(part);
      at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
    }
    if (isSchema(at)) return at;
    throw invalid(
      `${this.pathOf(from)}/$ref`,
      'a reference to a part of the schema',
      `"${reference}", which is not there`,
      'Correct it.',
    );
  }

  #check(schema: unknown, path: string, depth: number): void {
    if (typeof schema === 'boolean') return;
    if (!isObject(schema)) throw invalid(path, 'an object or a boolean', describe(schema), '');
    if (depth > grammarLimits.schemaDepth) {
      throw new RivuletError(
        'GRAMMAR_TOO_LARGE',
        `Expected a schema nested at most ${grammarLimits.schemaDepth} deep, found more at ${path.slice(0, 200)}.`,
        { details: { limit: grammarLimits.schemaDepth } },
      );
    }
    this.#paths.set(schema, path);
    for (const key of ['$id', 'id', '$anchor', '$dynamicAnchor']) {
      const name = schema[key];
      if (typeof name === 'string') this.#anchors.set(key.endsWith('nchor') ? `#${name}` : name, schema);
    }
    checkKeywords(schema, path);
    for (const key of schemaKeys) {
      if (schema[key] !== undefined) this.#check(schema[key], `${path}/${key}`, depth + 1);
    }
    for (const key of listKeys) {
      const list = schema[key];
      if (list === undefined) continue;
      if (!Array.isArray(list)) throw invalid(`${path}/${key}`, 'a list of schemas', describe(list), '');
      list.forEach((item, index) => this.#check(item, `${path}/${key}/${index}`, depth + 1));
    }
    for (const key of mapKeys) {
      const map = schema[key];
      if (map === undefined) continue;
      if (!isObject(map)) throw invalid(`${path}/${key}`, 'an object of schemas', describe(map), '');
      for (const [name, item] of Object.entries(map)) {
        this.#check(item, `${path}/${key}/${encodePart(name)}`, depth + 1);
      }
    }
    const { items, dependencies } = schema as { readonly items?: unknown; readonly dependencies?: unknown };
    if (Array.isArray(items)) {
      items.forEach((item, index) => this.#check(item, `${path}/items/${index}`, depth + 1));
    } else if (items !== undefined) this.#check(items, `${path}/items`, depth + 1);
    if (isObject(dependencies)) {
      for (const [name, item] of Object.entries(dependencies)) {
        if (!Array.isArray(item)) this.#check(item, `${path}/dependencies/${encodePart(name)}`, depth + 1);
      }
    }
  }
}

function checkKeywords(schema: SchemaObject, path: string): void {
  const { type, required } = schema as { readonly type?: unknown; readonly required?: unknown };
  const types: readonly unknown[] = type === undefined ? [] : Array.isArray(type) ? type : [type];
  const unknown = types.find((each) => !typeNames.has(each));
  if (unknown !== undefined) {
    throw invalid(`${path}/type`, `one of ${[...typeNames].join(', ')}`, describe(unknown), '');
  }
  // Draft 3 wrote `required: true` into properties; a boolean there says nothing any more.
  if (required !== undefined && typeof required !== 'boolean' && !isTexts(required)) {
    throw invalid(`${path}/required`, 'a list of names', describe(required), '');
  }
  const list: unknown = schema['enum'];
  if (list !== undefined && !Array.isArray(list)) {
    throw invalid(`${path}/enum`, 'a list of values', describe(list), '');
  }
  for (const key of countKeys) {
    const value = schema[key];
    if (value !== undefined && !(typeof value === 'number' && Number.isInteger(value) && value >= 0)) {
      throw invalid(`${path}/${key}`, 'a whole number from 0', describe(value), '');
    }
  }
  for (const key of numberKeys) {
    const value = schema[key];
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value))) {
      throw invalid(`${path}/${key}`, 'a number', describe(value), '');
    }
  }
  if (typeof schema['multipleOf'] === 'number' && schema['multipleOf'] <= 0) {
    throw invalid(`${path}/multipleOf`, 'a number above 0', describe(schema['multipleOf']), '');
  }
  for (const key of ['pattern', 'format', '$ref', '$dynamicRef']) {
    const value = schema[key];
    if (value !== undefined && typeof value !== 'string') {
      throw invalid(`${path}/${key}`, 'a text', describe(value), '');
    }
  }
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'boolean' || isObject(value);
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Marks are put on the parts, and the caller's own must stay as they are; a cycle has no JSON. */
function copy(schema: JSONSchema): Schema {
  let written: string;
  try {
    written = JSON.stringify(schema);
  } catch (error) {
    throw new RivuletError(
      'SCHEMA_INVALID',
      'Expected a JSON schema that can be written as JSON, found one that cannot.',
      {
        cause: error,
      },
    );
  }
  if (typeof written !== 'string') throw invalid('#', 'an object or a boolean', typeof schema, '');
  if (written.length > grammarLimits.schemaLength) {
    throw new RivuletError(
      'GRAMMAR_TOO_LARGE',
      `Expected a schema of at most ${grammarLimits.schemaLength} characters, found ${written.length}.`,
      { details: { limit: grammarLimits.schemaLength } },
    );
  }
  return JSON.parse(written) as Schema;
}

export function encodePart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function decodePart(part: string): string {
  let plain = part;
  try {
    plain = decodeURIComponent(part);
  } catch {
    // A percent sign that is none of an encoding stands for itself.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

function describe(value: unknown): string {
  const written = JSON.stringify(value) ?? String(value);
  return written.length > 60 ? `${written.slice(0, 60)}…` : written;
}

function invalid(path: string, expected: string, found: string, remedy: string): RivuletError {
  return new RivuletError(
    'SCHEMA_INVALID',
    `Expected ${expected} at ${path.slice(0, 300)} of the JSON schema, found ${found}. ${remedy}`.trim(),
    { details: { path: path.slice(0, 300) } },
  );
}
