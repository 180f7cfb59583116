import { RivuletError } from '../../errors.ts';
import { choice, rule, sequence } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { parsePattern } from '../pattern/parse-pattern.ts';
import {
  complement,
  intersect,
  lengthMachine,
  listMachine,
  patternMachine,
  readsNothing,
} from '../pattern/text-machine.ts';
import type { TextMachine } from '../pattern/text-machine.ts';
import { colon, stringOfMachine } from './json-text.ts';
import { patternsOf } from './object-keywords.ts';
import type { Conjunction } from './schema-conjunction.ts';
import type { SchemaContext } from './schema-grammar.ts';
import { isObject, isTexts } from './schema-source.ts';
import type { Schema, SchemaObject } from './schema-source.ts';
import { lengthsOf, textsOf } from './string-grammar.ts';

/** Each pattern doubles the kinds of keys. */
const maximumPatterns = 5;

/**
 * Members of an object that no schema names, or undefined when there can be none. Their keys differ from the names, so
 * that no member escapes what is said of it.
 * @param schemaOf what a schema says of a member whose key its given patterns match
 */
export function furtherMembers(
  conjunction: Conjunction,
  names: ReadonlySet<string>,
  schemaOf: (schema: SchemaObject, patterns: readonly Schema[]) => readonly Schema[],
  context: SchemaContext,
): GrammarNode | undefined {
  const patterns = readPatterns(conjunction, context);
  const keys = keysOf(conjunction, names, context);
  const members: GrammarNode[] = [];
  for (let subset = 0; subset < 2 ** patterns.length; subset += 1) {
    const matching = patterns.filter((_, index) => (subset >> index) & 1);
    const schemas = conjunction.flatMap((schema) =>
      schemaOf(
        schema,
        matching.filter((each) => each.schema === schema).map(({ value }) => value),
      ),
    );
    if (schemas.includes(false)) continue;
    let machine = keys;
    patterns.forEach((pattern, index) => {
      const part = (subset >> index) & 1 ? pattern.machine : complement(pattern.machine);
      machine = machine === undefined ? part : intersect(machine, part);
    });
    if (machine !== undefined && readsNothing(machine)) continue;
    const value = context.value(schemas);
    if (value === undefined) continue;
    const key = machine === undefined ? rule('string') : context.share(stringOfMachine(machine));
    members.push(sequence(key, colon, value));
  }
  return members.length === 0 ? undefined : choice(...members);
}

interface KeyPattern {
  readonly schema: SchemaObject;
  readonly value: Schema;
  readonly machine: TextMachine;
}

function readPatterns(conjunction: Conjunction, context: SchemaContext): readonly KeyPattern[] {
  const found: KeyPattern[] = [];
  for (const schema of conjunction) {
    for (const [pattern, value] of patternsOf(schema)) {
      if (found.length >= maximumPatterns) {
        context.complain(schema, 'patternProperties');
        continue;
      }
      try {
        found.push({ schema, value, machine: patternMachine(parsePattern(pattern), false) });
      } catch (error) {
        if (!RivuletError.isInstance(error)) throw error;
        if (error.code === 'GRAMMAR_INVALID') {
          throw new RivuletError('SCHEMA_INVALID', error.message, {
            cause: error,
            details: { path: `${context.source.pathOf(schema)}/patternProperties` },
          });
        }
        context.complain(schema, 'patternProperties');
      }
    }
  }
  return found;
}

/** What of `propertyNames` is understood. */
const knownOfKeys: ReadonlySet<string> = new Set([
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'enum',
  'const',
  'type',
]);

/** Keys that are none of the names and that `propertyNames` allows; undefined = any. */
function keysOf(
  conjunction: Conjunction,
  names: ReadonlySet<string>,
  context: SchemaContext,
): TextMachine | undefined {
  let machine = names.size === 0 ? undefined : complement(listMachine([...names]));
  const add = (other: TextMachine): void => {
    machine = machine === undefined ? other : intersect(machine, other);
  };
  for (const schema of conjunction) {
    const keys = schema['propertyNames'];
    if (keys === undefined || keys === true) continue;
    if (keys === false) {
      add(listMachine([]));
      continue;
    }
    if (!isObject(keys)) continue;
    if (Object.keys(keys).some((key) => !knownOfKeys.has(key))) context.complain(schema, 'propertyNames');
    const listed: unknown = keys['const'] === undefined ? keys['enum'] : [keys['const']];
    if (isTexts(listed)) add(listMachine(listed));
    const texts = textsOf([keys], context);
    if (texts !== undefined) add(texts);
    const { minimum, maximum } = lengthsOf([keys]);
    if (minimum > 0 || maximum !== Infinity) add(lengthMachine(minimum, maximum));
  }
  return machine;
}
