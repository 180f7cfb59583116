import { RivuletError } from '../../errors.ts';
import { choice, empty, optional, repeat, sequence, text } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { colon, comma, space } from './json-text.ts';
import { furtherMembers } from './object-keys.ts';
import { patternsOf, propertiesOf } from './object-keywords.ts';
import type { Conjunction } from './schema-conjunction.ts';
import { listOfTexts } from './schema-conjunction.ts';
import type { SchemaContext } from './schema-grammar.ts';
import type { Schema, SchemaObject } from './schema-source.ts';

interface Member {
  readonly node: GrammarNode;
  readonly isRequired: boolean;
}

/** So many states of a count over named members are made; beyond, the bounds are checked afterwards. */
const maximumCounted = 4000;

export function objectNode(conjunction: Conjunction, context: SchemaContext): GrammarNode | undefined {
  const required = new Set(conjunction.flatMap((schema) => listOfTexts(schema['required'])));
  const names = new Set(conjunction.flatMap((schema) => Object.keys(propertiesOf(schema))));
  for (const name of required) names.add(name);
  const isClosed =
    names.size > 0 &&
    context.isClosed(conjunction) &&
    conjunction.every((schema) => schema['additionalProperties'] === undefined);
  const members: Member[] = [];
  for (const name of names) {
    const value = context.value(
      conjunction.flatMap((schema) => schemasOf(schema, name, conjunction, context)),
    );
    if (value === undefined) {
      if (required.has(name)) return undefined;
      continue;
    }
    const node = context.share(sequence(text(JSON.stringify(name)), colon, value));
    members.push({ node, isRequired: required.has(name) });
  }
  const further = furtherMembers(
    conjunction,
    names,
    (schema, patterns) =>
      isClosed && patterns.length === 0 ? [false] : furtherSchemas(schema, patterns, conjunction),
    context,
  );
  let minimum = 0;
  let maximum = Infinity;
  for (const { minProperties, maxProperties } of conjunction as readonly {
    readonly minProperties?: unknown;
    readonly maxProperties?: unknown;
  }[]) {
    if (typeof minProperties === 'number') minimum = Math.max(minimum, minProperties);
    if (typeof maxProperties === 'number') maximum = Math.min(maximum, maxProperties);
  }
  const least = members.filter((member) => member.isRequired).length;
  if (maximum < least || (further === undefined && minimum > members.length)) return undefined;
  const rest = further === undefined ? undefined : context.share(further);
  const isCounted = minimum > least || maximum !== Infinity;
  const inside = isCounted
    ? counted(members, rest, minimum, maximum, conjunction, context)
    : uncounted(members, rest, context);
  return inside === undefined ? undefined : sequence(text('{'), space, inside, text('}'));
}

/** Members in their order; of several that may be the first each begins its own alternative. */
function uncounted(
  members: readonly Member[],
  rest: GrammarNode | undefined,
  context: SchemaContext,
): GrammarNode {
  let tail: GrammarNode = rest === undefined ? empty : repeat(sequence(comma, rest), 0);
  const firsts: GrammarNode[] = rest === undefined ? [] : [sequence(rest, tail, space)];
  let canBeEmpty = true;
  for (let index = members.length - 1; index >= 0; index -= 1) {
    const { node, isRequired } = members[index]!;
    if (isRequired) {
      firsts.length = 0;
      canBeEmpty = false;
    }
    firsts.unshift(sequence(node, tail, space));
    const following = sequence(comma, node);
    tail = sequence(isRequired ? following : optional(following), tail);
    // Each of the alternatives goes on with it.
    if (index > 0) tail = context.share(tail);
  }
  return canBeEmpty ? optional(choice(...firsts)) : choice(...firsts);
}

/** As {@link uncounted}, with as many members as the bounds say. */
function counted(
  members: readonly Member[],
  rest: GrammarNode | undefined,
  minimum: number,
  maximum: number,
  conjunction: Conjunction,
  context: SchemaContext,
): GrammarNode | undefined {
  const top = Math.min(maximum, Math.max(minimum, members.length));
  if ((members.length + 1) * (top + 1) > maximumCounted) {
    for (const schema of conjunction) {
      for (const key of ['minProperties', 'maxProperties']) {
        if (schema[key] !== undefined) context.complain(schema, key);
      }
    }
    return uncounted(members, rest, context);
  }
  const known = new Map<string, GrammarNode | undefined>();
  /** What follows when members before `index` are decided and `count` were written. */
  const after = (index: number, count: number): GrammarNode | undefined => {
    const key = `${index} ${count}`;
    if (!known.has(key)) {
      const node = make(index, count);
      known.set(key, node === undefined ? undefined : context.share(node));
    }
    return known.get(key);
  };
  const make = (index: number, count: number): GrammarNode | undefined => {
    if (count > maximum) return undefined;
    const lead = (node: GrammarNode): GrammarNode => (count === 0 ? node : sequence(comma, node));
    const member = members[index];
    if (member === undefined) {
      const missing = Math.max(0, minimum - count);
      if (rest === undefined) return missing > 0 ? undefined : count === 0 ? empty : space;
      if (count > 0) return sequence(repeat(sequence(comma, rest), missing, maximum - count), space);
      const more = repeat(sequence(comma, rest), Math.max(0, missing - 1), maximum - 1);
      const some = sequence(rest, more, space);
      if (maximum === 0) return empty;
      return missing > 0 ? some : optional(some);
    }
    const items: GrammarNode[] = [];
    const behind = after(index + 1, count + 1);
    if (behind !== undefined) items.push(sequence(lead(member.node), behind));
    const without = member.isRequired ? undefined : after(index + 1, count);
    if (without !== undefined) items.push(without);
    return items.length === 0 ? undefined : choice(...items);
  };
  return after(0, 0);
}

/** What one schema of a conjunction says of the value under a name. */
function schemasOf(
  schema: SchemaObject,
  name: string,
  conjunction: Conjunction,
  context: SchemaContext,
): readonly Schema[] {
  const found: Schema[] = [];
  const own = propertiesOf(schema);
  if (Object.hasOwn(own, name)) found.push(own[name]!);
  const patterns = patternsOf(schema).filter(([pattern]) => matches(pattern, name, schema, context));
  found.push(...patterns.map(([, value]) => value));
  if (found.length > 0) return found;
  const isNamed = conjunction.some((other) => Object.hasOwn(propertiesOf(other), name));
  return furtherSchemas(schema, [], conjunction, isNamed);
}

function matches(pattern: string, name: string, schema: SchemaObject, context: SchemaContext): boolean {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch (error) {
    throw new RivuletError('SCHEMA_INVALID', `Expected a regular expression, found "${pattern}".`, {
      cause: error,
      details: { path: `${context.source.pathOf(schema)}/patternProperties` },
    });
  }
}

/** What one schema says of a member that it does not name and that the given patterns of it match. */
function furtherSchemas(
  schema: SchemaObject,
  patterns: readonly Schema[],
  conjunction: Conjunction,
  isNamedElsewhere = false,
): readonly Schema[] {
  if (patterns.length > 0) return patterns;
  const { additionalProperties, unevaluatedProperties } = schema as {
    readonly additionalProperties?: Schema;
    readonly unevaluatedProperties?: Schema;
  };
  if (additionalProperties !== undefined) return [additionalProperties];
  if (unevaluatedProperties === undefined || isNamedElsewhere) return [];
  const isEvaluated = conjunction.some(
    (other) => other !== schema && other['additionalProperties'] !== undefined,
  );
  return isEvaluated ? [] : [unevaluatedProperties];
}
