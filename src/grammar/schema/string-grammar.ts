import { RivuletError } from '../../errors.ts';
import { rule } from '../grammar.ts';
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
import { stringOfLength, stringOfMachine } from './json-text.ts';
import type { Conjunction } from './schema-conjunction.ts';
import type { SchemaContext } from './schema-grammar.ts';
import type { SchemaObject } from './schema-source.ts';
import { formatPattern } from './string-formats.ts';

export function stringNode(
  conjunction: Conjunction,
  excluded: readonly string[],
  context: SchemaContext,
): GrammarNode | undefined {
  const { minimum, maximum } = lengthsOf(conjunction);
  if (minimum > maximum) return undefined;
  const isBounded = minimum > 0 || maximum !== Infinity;
  let machine = textsOf(conjunction, context);
  if (excluded.length > 0) machine = both(machine, complement(listMachine(excluded)));
  if (machine === undefined) {
    return isBounded ? context.share(stringOfLength(minimum, maximum)) : rule('string');
  }
  if (isBounded) {
    machine = limited(machine, conjunction, context, ['minLength', 'maxLength'], () =>
      lengthMachine(minimum, maximum),
    );
  }
  return readsNothing(machine) ? undefined : context.share(stringOfMachine(machine));
}

export function lengthsOf(conjunction: Conjunction): { readonly minimum: number; readonly maximum: number } {
  let minimum = 0;
  let maximum = Infinity;
  for (const { minLength, maxLength } of conjunction as readonly {
    readonly minLength?: unknown;
    readonly maxLength?: unknown;
  }[]) {
    if (typeof minLength === 'number') minimum = Math.max(minimum, minLength);
    if (typeof maxLength === 'number') maximum = Math.min(maximum, maxLength);
  }
  return { minimum, maximum };
}

/** The texts that patterns and formats allow; undefined when there are none of these. */
export function textsOf(conjunction: Conjunction, context: SchemaContext): TextMachine | undefined {
  let machine: TextMachine | undefined;
  for (const schema of conjunction) {
    for (const keyword of ['pattern', 'format']) {
      const value = schema[keyword];
      if (typeof value !== 'string') continue;
      const source = keyword === 'pattern' ? value : formatPattern(value);
      if (source === undefined) {
        context.complain(schema, keyword);
        continue;
      }
      const found = patternOf(source, schema, keyword, context);
      if (found === undefined) continue;
      machine = machine === undefined ? found : limited(machine, [schema], context, [keyword], () => found);
    }
  }
  return machine;
}

/** Patterns that are too large or not regular are checked afterwards. @throws {RivuletError} `SCHEMA_INVALID` */
function patternOf(
  source: string,
  schema: SchemaObject,
  keyword: string,
  context: SchemaContext,
): TextMachine | undefined {
  try {
    return patternMachine(parsePattern(source), false);
  } catch (error) {
    if (!RivuletError.isInstance(error)) throw error;
    if (error.code === 'GRAMMAR_INVALID') {
      throw new RivuletError('SCHEMA_INVALID', error.message, {
        cause: error,
        details: { path: `${context.source.pathOf(schema)}/${keyword}` },
      });
    }
    context.complain(schema, keyword);
    return undefined;
  }
}

/** Both at once, or the first one and complaints where that would be too large. */
function limited(
  machine: TextMachine,
  conjunction: Conjunction,
  context: SchemaContext,
  keywords: readonly string[],
  other: () => TextMachine,
): TextMachine {
  try {
    return intersect(machine, other());
  } catch (error) {
    if (!RivuletError.isInstance(error)) throw error;
    for (const schema of conjunction) {
      for (const keyword of keywords) if (schema[keyword] !== undefined) context.complain(schema, keyword);
    }
    return machine;
  }
}

function both(left: TextMachine | undefined, right: TextMachine): TextMachine {
  return left === undefined ? right : intersect(left, right);
}
