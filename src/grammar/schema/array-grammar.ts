import { empty, optional, repeat, sequence, text } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { comma, space } from './json-text.ts';
import type { Conjunction } from './schema-conjunction.ts';
import type { SchemaContext } from './schema-grammar.ts';
import type { Schema, SchemaObject } from './schema-source.ts';

/** Further positions of a tuple than any schema means. */
const maximumPrefix = 1000;

export function arrayNode(conjunction: Conjunction, context: SchemaContext): GrammarNode | undefined {
  let minimum = 0;
  let maximum = Infinity;
  let prefixLength = 0;
  for (const schema of conjunction) {
    const { minItems, maxItems } = schema as { readonly minItems?: unknown; readonly maxItems?: unknown };
    if (typeof minItems === 'number') minimum = Math.max(minimum, minItems);
    if (typeof maxItems === 'number') maximum = Math.min(maximum, maxItems);
    prefixLength = Math.max(prefixLength, prefixOf(schema).length);
    if (schema['uniqueItems'] === true) context.complain(schema, 'uniqueItems');
    if (schema['contains'] !== undefined && schema['minContains'] !== 0) context.complain(schema, 'contains');
  }
  const prefix: GrammarNode[] = [];
  for (let index = 0; index < Math.min(prefixLength, maximumPrefix); index += 1) {
    const node = context.value(
      conjunction.map((schema) => prefixOf(schema)[index] ?? restOf(schema, conjunction)),
    );
    if (node === undefined) {
      maximum = Math.min(maximum, index);
      break;
    }
    prefix.push(node);
  }
  const rest =
    maximum <= prefix.length
      ? undefined
      : context.value(conjunction.map((schema) => restOf(schema, conjunction)));
  if (rest === undefined) maximum = Math.min(maximum, prefix.length);
  if (minimum > maximum) return undefined;

  const first = prefix[0] ?? rest;
  if (first === undefined || maximum === 0) return sequence(text('['), space, text(']'));
  let elements: GrammarNode =
    rest === undefined
      ? empty
      : repeat(
          sequence(comma, rest),
          Math.max(0, minimum - Math.max(1, prefix.length)),
          maximum - Math.max(1, prefix.length),
        );
  for (let index = Math.min(prefix.length, maximum) - 1; index >= 1; index -= 1) {
    const more = sequence(comma, prefix[index]!, elements);
    elements = index < minimum ? more : optional(more);
  }
  const all = sequence(first, elements, space);
  return sequence(text('['), space, minimum > 0 ? all : optional(all), text(']'));
}

/** Drafts before 2020-12 wrote the positions of a tuple as a list of `items`. */
function prefixOf(schema: SchemaObject): readonly Schema[] {
  const { items, prefixItems } = schema as { readonly items?: unknown; readonly prefixItems?: unknown };
  if (Array.isArray(prefixItems)) return prefixItems as Schema[];
  return Array.isArray(items) ? (items as Schema[]) : [];
}

function restOf(schema: SchemaObject, conjunction: Conjunction): Schema {
  const { items, additionalItems, unevaluatedItems } = schema as {
    readonly items?: Schema | readonly Schema[];
    readonly additionalItems?: Schema;
    readonly unevaluatedItems?: Schema;
  };
  if (items !== undefined && !Array.isArray(items)) return items as Schema;
  if (Array.isArray(items) && additionalItems !== undefined) return additionalItems;
  if (unevaluatedItems === undefined) return true;
  // Items that another schema of the conjunction speaks of are evaluated.
  const isEvaluated = conjunction.some(
    (other) => other !== schema && other['items'] !== undefined && !Array.isArray(other['items']),
  );
  return isEvaluated ? true : unevaluatedItems;
}
