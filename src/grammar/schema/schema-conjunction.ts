import { RivuletError } from '../../errors.ts';
import { grammarLimits } from '../grammar-limits.ts';
import { isObject, isTexts } from './schema-source.ts';
import type { Schema, SchemaObject, SchemaSource } from './schema-source.ts';

/** Called for what the grammar cannot hold the output to. */
export type Complaint = (schema: SchemaObject, keyword: string) => void;

/** Schemas that hold at once, without references and combinations; of these, one alternative has to hold. */
export type Conjunction = readonly SchemaObject[];

const allTypes = ['null', 'boolean', 'number', 'string', 'array', 'object'];

interface Draft {
  readonly plain: Set<SchemaObject>;
  readonly choices: (readonly Schema[])[];
  possible: boolean;
}

/**
 * Resolves references, allOf, anyOf, oneOf, conditions and dependencies.
 * @returns the alternatives; none when nothing is valid
 * @throws {RivuletError} `GRAMMAR_TOO_LARGE` for too many alternatives
 */
export class Conjunctions {
  readonly #source: SchemaSource;
  readonly #complain: Complaint;
  /** Parts that were made, so that equal ones are one object. */
  readonly #made = new WeakMap<SchemaObject, Map<string, SchemaObject>>();

  constructor(source: SchemaSource, complain: Complaint) {
    this.#source = source;
    this.#complain = complain;
  }

  alternatives(schemas: readonly Schema[]): Conjunction[] {
    const draft: Draft = { plain: new Set(), choices: [], possible: true };
    for (const schema of schemas) this.#add(draft, schema);
    return this.#choose(draft, []);
  }

  #choose(draft: Draft, found: Conjunction[]): Conjunction[] {
    if (!draft.possible) return found;
    const choice = draft.choices.pop();
    if (choice === undefined) {
      if (found.length >= grammarLimits.alternatives) throw tooMany();
      found.push([...draft.plain]);
      return found;
    }
    for (const schema of choice) {
      const branch: Draft = { plain: new Set(draft.plain), choices: [...draft.choices], possible: true };
      this.#add(branch, schema);
      this.#choose(branch, found);
    }
    return found;
  }

  #add(draft: Draft, schema: Schema): void {
    if (schema === true) return;
    if (schema === false) {
      draft.possible = false;
      return;
    }
    if (draft.plain.has(schema)) return;
    draft.plain.add(schema);
    for (const key of ['$ref', '$dynamicRef', '$recursiveRef']) {
      const reference = schema[key];
      if (typeof reference === 'string') this.#add(draft, this.#source.resolve(reference, schema));
    }
    for (const part of listOf(schema['allOf'])) this.#add(draft, part);
    if (schema['anyOf'] !== undefined) draft.choices.push(listOf(schema['anyOf']));
    if (schema['oneOf'] !== undefined) {
      const branches = listOf(schema['oneOf']);
      if (!this.#areApart(branches)) this.#complain(schema, 'oneOf');
      draft.choices.push(branches);
    }
    this.#addCondition(draft, schema);
    this.#addDependencies(draft, schema);
    if (schema['not'] !== undefined) this.#addNegation(draft, schema, schema['not'] as Schema);
  }

  #addCondition(draft: Draft, schema: SchemaObject): void {
    const condition = schema['if'] as Schema | undefined;
    if (condition === undefined) return;
    const yes = (schema['then'] ?? true) as Schema;
    const no = (schema['else'] ?? true) as Schema;
    if (yes === true && no === true) return;
    const both = this.#make(schema, 'if', () => ({ allOf: [condition, yes] }));
    const negation = this.#negated(condition, schema);
    if (negation === undefined) {
      this.#complain(schema, 'if');
      draft.choices.push([both, no]);
    } else {
      draft.choices.push([both, this.#make(schema, 'else', () => ({ allOf: [negation, no] }))]);
    }
  }

  #addDependencies(draft: Draft, schema: SchemaObject): void {
    for (const key of ['dependentRequired', 'dependentSchemas', 'dependencies']) {
      const dependencies = schema[key];
      if (!isObject(dependencies)) continue;
      for (const [name, needed] of Object.entries(dependencies)) {
        const absent = this.#make(schema, `without ${name}`, () => ({ properties: { [name]: false } }));
        const present = this.#make(schema, `${key} ${name}`, () =>
          isTexts(needed) ? { required: [name, ...needed] } : { required: [name], allOf: [needed] },
        );
        draft.choices.push([absent, present]);
      }
    }
  }

  #addNegation(draft: Draft, schema: SchemaObject, negative: Schema): void {
    const negation = this.#negated(negative, schema);
    if (negation === undefined) this.#complain(schema, 'not');
    else this.#add(draft, negation);
  }

  /** What holds exactly where a schema does not; undefined when that is no schema that is understood here. */
  #negated(schema: Schema, from: SchemaObject): Schema | undefined {
    if (typeof schema === 'boolean') return !schema;
    const keys = Object.keys(schema).filter((key) => !annotations.has(key));
    if (keys.length === 0) return false;
    if (keys.length === 1 && keys[0] === 'not') return schema['not'] as Schema;
    if (keys.length === 1 && keys[0] === 'type') {
      const types = typesOf(schema);
      if (types.includes('integer')) return undefined;
      return this.#make(schema, 'not', () => ({ type: allTypes.filter((type) => !types.includes(type)) }));
    }
    if (keys.length === 1 && keys[0] === 'required') {
      const names = listOfTexts(schema['required']);
      return this.#make(schema, 'not', () => ({
        type: 'object',
        anyOf: names.map((name) => ({ properties: { [name]: false } })),
      }));
    }
    // A property that has to be one value, as conditions ask for: it is another one, or is not there.
    const properties = schema['properties'];
    const [entry, ...others] = isObject(properties) ? Object.entries(properties) : [];
    if (entry !== undefined && others.length === 0 && isObject(entry[1])) {
      const [name, value] = entry;
      const required = listOfTexts(schema['required']);
      const isOnly = keys.every((key) => key === 'properties' || key === 'required');
      const excluded = excludedValues(value as SchemaObject);
      if (isOnly && excluded !== undefined && required.every((each) => each === name)) {
        const other = this.#make(schema, 'other', () => ({
          required: [name],
          properties: { [name]: this.#source.derive(from, { [excludedKey]: excluded }) },
        }));
        const absent = this.#make(schema, 'absent', () => ({ properties: { [name]: false } }));
        const isRequired = required.length > 0;
        return this.#make(schema, 'not', () => ({
          type: 'object',
          anyOf: isRequired ? [other, absent] : [other],
        }));
      }
    }
    const excluded = excludedValues(schema);
    return excluded === undefined
      ? undefined
      : this.#make(schema, 'not', () => ({ [excludedKey]: excluded }));
  }

  #make(from: SchemaObject, name: string, make: () => SchemaObject): SchemaObject {
    let known = this.#made.get(from);
    if (known === undefined) this.#made.set(from, (known = new Map()));
    let made = known.get(name);
    if (made === undefined) known.set(name, (made = this.#source.derive(from, make())));
    return made;
  }

  /** No value is valid under two of the branches. */
  #areApart(branches: readonly Schema[]): boolean {
    const shapes = branches.map((branch) => this.#shape(branch));
    return shapes.every((left, index) =>
      shapes.slice(index + 1).every((right) => {
        if (left === undefined || right === undefined) return false;
        if (areDisjoint(left.types, right.types)) return true;
        if (
          left.values !== undefined &&
          right.values !== undefined &&
          areDisjoint(left.values, right.values)
        ) {
          return true;
        }
        if (left.types.join() !== 'object' || right.types.join() !== 'object') return false;
        return [...left.tags].some(([name, values]) => {
          const other = right.tags.get(name);
          return other !== undefined && areDisjoint(values, other);
        });
      }),
    );
  }

  #shape(schema: Schema): Shape | undefined {
    let at = schema;
    for (let steps = 0; isObject(at) && typeof at['$ref'] === 'string' && steps < 20; steps += 1) {
      at = this.#source.resolve(at['$ref'], at);
    }
    if (typeof at === 'boolean') return undefined;
    const properties = isObject(at['properties']) ? at['properties'] : {};
    const tags = listOfTexts(at['required']).flatMap((name) => {
      const values = enumerated(properties[name]);
      return values === undefined ? [] : [[name, values] as const];
    });
    const values = enumerated(at);
    return {
      types: typesOf(at).map((type) => (type === 'integer' ? 'number' : type)),
      ...(values === undefined ? {} : { values }),
      tags: new Map(tags),
    };
  }
}

interface Shape {
  readonly types: readonly string[];
  /** Written as JSON. */
  readonly values?: readonly string[];
  readonly tags: ReadonlyMap<string, readonly string[]>;
}

/** Keywords that say nothing about which values are valid. */
const annotations: ReadonlySet<string> = new Set([
  '$comment',
  '$id',
  '$schema',
  'default',
  'deprecated',
  'description',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
]);

/** Of our own making: values that are not valid. No schema of a caller has it, as JSON has no symbols as keys. */
export const excludedKey = '\u0000excluded';

function excludedValues(schema: SchemaObject): readonly unknown[] | undefined {
  const keys = Object.keys(schema).filter((key) => !annotations.has(key) && key !== 'type');
  if (keys.length !== 1) return undefined;
  if (keys[0] === 'const') return [schema['const']];
  return keys[0] === 'enum' ? (schema['enum'] as readonly unknown[]) : undefined;
}

function enumerated(schema: unknown): readonly string[] | undefined {
  if (!isObject(schema)) return undefined;
  if (schema['const'] !== undefined) return [JSON.stringify(schema['const'])];
  return Array.isArray(schema['enum']) ? schema['enum'].map((value) => JSON.stringify(value)) : undefined;
}

function areDisjoint(left: readonly string[], right: readonly string[]): boolean {
  return !left.some((each) => right.includes(each));
}

/** The types that a schema names; all when it names none. */
export function typesOf(schema: SchemaObject): readonly string[] {
  const type = schema['type'];
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? (type as string[]) : allTypes;
}

function listOf(value: unknown): readonly Schema[] {
  return Array.isArray(value) ? (value as Schema[]) : [];
}

export function listOfTexts(value: unknown): readonly string[] {
  return isTexts(value) ? value : [];
}

function tooMany(): RivuletError {
  return new RivuletError(
    'GRAMMAR_TOO_LARGE',
    `Expected at most ${grammarLimits.alternatives} alternatives of anyOf, oneOf, conditions and dependencies at one place of a JSON schema, found more. Use fewer at once.`,
    { details: { limit: grammarLimits.alternatives } },
  );
}
