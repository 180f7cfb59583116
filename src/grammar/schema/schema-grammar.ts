import { dereference, validate } from '@cfworker/json-schema';

import type { JSONSchema } from '../../chat/messages.ts';
import { RivuletError } from '../../errors.ts';
import { choice, nothing, rootRule, rule, text } from '../grammar.ts';
import type { Grammar, GrammarNode } from '../grammar.ts';
import { arrayNode } from './array-grammar.ts';
import { jsonRules, literal } from './json-text.ts';
import { numberNode } from './number-grammar.ts';
import { objectNode } from './object-grammar.ts';
import { Conjunctions, excludedKey, typesOf } from './schema-conjunction.ts';
import type { Conjunction } from './schema-conjunction.ts';
import { SchemaSource, isObject } from './schema-source.ts';
import type { Schema, SchemaObject } from './schema-source.ts';
import { stringNode } from './string-grammar.ts';

/** A keyword that the grammar does not hold the output to. */
export interface Unenforced {
  /** JSON pointer of the keyword in the schema. */
  readonly path: string;
  readonly keyword: string;
}

export interface SchemaGrammar {
  readonly grammar: Grammar;
  readonly unenforced: readonly Unenforced[];
}

export interface SchemaGrammarOptions {
  /** An object at the root has no properties but those that the schema names, unless it says otherwise. @default false */
  readonly closesRoot?: boolean;
  /** The value is an object whatever the schema says of other types. @default false */
  readonly rootIsObject?: boolean;
}

/** What the parts of a schema are made with. */
export interface SchemaContext {
  readonly source: SchemaSource;
  /** A node for a value for which all schemas hold; undefined when there is none. */
  value(schemas: readonly Schema[]): GrammarNode | undefined;
  /** A node of its own that may be used in several places. */
  share(node: GrammarNode): GrammarNode;
  complain(schema: SchemaObject, keyword: string): void;
  /** Objects of this conjunction are closed, see {@link SchemaGrammarOptions.closesRoot}. */
  isClosed(conjunction: Conjunction): boolean;
}

/**
 * The grammar of the JSON texts that are valid under a schema. What it cannot hold is named, and where a keyword is
 * named some invalid texts are part of the grammar too; members of objects come in the order of `properties`.
 * @throws {RivuletError} `SCHEMA_INVALID`, `GRAMMAR_TOO_LARGE`
 */
export function schemaGrammar(schema: JSONSchema, options: SchemaGrammarOptions = {}): SchemaGrammar {
  return new SchemaCompiler(schema, options).compile();
}

class SchemaCompiler implements SchemaContext {
  readonly source: SchemaSource;
  readonly #options: SchemaGrammarOptions;
  readonly #conjunctions: Conjunctions;
  readonly #rules = new Map<string, GrammarNode>(jsonRules);
  /** Names of rules by the schemas that they are made from. */
  readonly #names = new Map<string, string>();
  /** Rules that no text matches. */
  readonly #impossible = new Set<string>();
  readonly #numbers = new WeakMap<SchemaObject, number>();
  readonly #unenforced = new Map<string, Unenforced>();
  readonly #lookup: Record<string, never>;
  #numbered = 0;
  #made = 0;
  #rootSchemas: ReadonlySet<SchemaObject> = new Set();

  constructor(schema: JSONSchema, options: SchemaGrammarOptions) {
    this.source = new SchemaSource(schema);
    this.#options = options;
    this.#conjunctions = new Conjunctions(this.source, (part, keyword) => this.complain(part, keyword));
    try {
      this.#lookup = dereference(this.source.root as never) as Record<string, never>;
    } catch (error) {
      throw new RivuletError(
        'SCHEMA_INVALID',
        `Expected a JSON schema whose parts can be told apart, found: ${String(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  compile(): SchemaGrammar {
    const { root } = this.source;
    const schemas: Schema[] = [root];
    if (this.#options.rootIsObject === true || isMeantAsObject(root)) schemas.push({ type: 'object' });
    if (this.#options.closesRoot === true) {
      this.#rootSchemas = new Set(this.#conjunctions.alternatives(schemas).flat());
    }
    const node = this.value(schemas);
    if (node === undefined) {
      throw new RivuletError(
        'SCHEMA_INVALID',
        'Expected a JSON schema under which some value is valid, found one under which none is. Check its types and bounds.',
        { details: { path: '#' } },
      );
    }
    this.#rules.set(rootRule, node);
    return { grammar: this.#rules, unenforced: [...this.#unenforced.values()] };
  }

  value(schemas: readonly Schema[]): GrammarNode | undefined {
    if (schemas.includes(false)) return undefined;
    const objects = schemas.filter((schema) => isObject(schema));
    if (objects.every((schema) => Object.keys(schema).length === 0)) return rule('value');
    const key = [...new Set(objects.map((schema) => this.#numberOf(schema)))]
      .sort((left, right) => left - right)
      .join();
    const known = this.#names.get(key);
    if (known !== undefined) return this.#impossible.has(known) ? undefined : rule(known);
    const name = `schema ${this.#names.size}`;
    this.#names.set(key, name);
    // Recursion finds the rule before it is made.
    this.#rules.set(name, nothing);
    const items = this.#conjunctions
      .alternatives(objects)
      .flatMap((conjunction) => this.#conjunctionNodes(conjunction, objects));
    if (items.length === 0) {
      this.#impossible.add(name);
      return undefined;
    }
    this.#rules.set(name, choice(...items));
    return rule(name);
  }

  share(node: GrammarNode): GrammarNode {
    if (node.kind === 'rule') return node;
    const name = `part ${this.#made}`;
    this.#made += 1;
    this.#rules.set(name, node);
    return rule(name);
  }

  complain(schema: SchemaObject, keyword: string): void {
    const path = `${this.source.pathOf(schema)}/${keyword}`;
    this.#unenforced.set(path, { path, keyword });
  }

  isClosed(conjunction: Conjunction): boolean {
    return conjunction.some((schema) => this.#rootSchemas.has(schema));
  }

  #numberOf(schema: SchemaObject): number {
    let number = this.#numbers.get(schema);
    if (number === undefined) {
      number = this.#numbered;
      this.#numbered += 1;
      this.#numbers.set(schema, number);
    }
    return number;
  }

  #conjunctionNodes(conjunction: Conjunction, all: readonly SchemaObject[]): GrammarNode[] {
    const values = this.#enumeration(conjunction, all);
    if (values !== undefined) return values.map(literal);
    const types = commonTypes(conjunction);
    const excluded = conjunction.flatMap((schema) => excludedBy(schema));
    return types.flatMap((type): GrammarNode[] => {
      const node = this.#typeNode(type, conjunction, excluded);
      return node === undefined ? [] : [node];
    });
  }

  #typeNode(type: string, conjunction: Conjunction, excluded: readonly unknown[]): GrammarNode | undefined {
    switch (type) {
      case 'null':
        return excluded.includes(null) ? undefined : text('null');
      case 'boolean': {
        const items = [true, false].filter((value) => !excluded.includes(value));
        return items.length === 0 ? undefined : choice(...items.map((value) => text(String(value))));
      }
      case 'integer':
      case 'number':
        this.#complainOfExcluded(conjunction, excluded, (value) => typeof value === 'number');
        return numberNode(conjunction, type === 'integer', this);
      case 'string':
        return stringNode(
          conjunction,
          excluded.filter((value) => typeof value === 'string'),
          this,
        );
      case 'array':
        this.#complainOfExcluded(conjunction, excluded, Array.isArray);
        return arrayNode(conjunction, this);
      default:
        this.#complainOfExcluded(conjunction, excluded, isObject);
        return objectNode(conjunction, this);
    }
  }

  #complainOfExcluded(
    conjunction: Conjunction,
    excluded: readonly unknown[],
    isOfType: (value: unknown) => boolean,
  ): void {
    if (!excluded.some(isOfType)) return;
    const schema = conjunction.find((each) => excludedBy(each).some(isOfType));
    if (schema !== undefined) this.complain(schema, 'not');
  }

  /** The values of a conjunction that lists them; each is tried against all that holds. */
  #enumeration(conjunction: Conjunction, all: readonly SchemaObject[]): readonly unknown[] | undefined {
    const lists = conjunction.flatMap((schema): (readonly unknown[])[] => {
      if (schema['const'] !== undefined) return [[schema['const']]];
      return Array.isArray(schema['enum']) ? [schema['enum']] : [];
    });
    const [first] = lists.toSorted((left, right) => left.length - right.length);
    if (first === undefined) return undefined;
    const seen = new Set<string>();
    return first.filter((value) => {
      const written = JSON.stringify(value);
      if (seen.has(written)) return false;
      seen.add(written);
      return [...conjunction, ...all].every((schema) => this.#isValid(value, schema));
    });
  }

  #isValid(value: unknown, schema: SchemaObject): boolean {
    if (excludedBy(schema).some((each) => JSON.stringify(each) === JSON.stringify(value))) return false;
    return validate(value, schema as never, '2020-12', this.#lookup).valid;
  }
}

/** A root that says nothing of its type but has properties is meant as an object. */
function isMeantAsObject(root: Schema): boolean {
  return isObject(root) && root['type'] === undefined && isObject(root['properties']);
}

function excludedBy(schema: SchemaObject): readonly unknown[] {
  const excluded = schema[excludedKey];
  return Array.isArray(excluded) ? excluded : [];
}

/** `integer` is part of `number`. */
function commonTypes(conjunction: Conjunction): readonly string[] {
  let common: readonly string[] = ['null', 'boolean', 'number', 'string', 'array', 'object'];
  for (const schema of conjunction) {
    const own = typesOf(schema);
    common = common.flatMap((type) => {
      if (own.includes(type)) return [type];
      if (type === 'number' && own.includes('integer')) return ['integer'];
      return type === 'integer' && own.includes('number') ? ['integer'] : [];
    });
  }
  return [...new Set(common)];
}
