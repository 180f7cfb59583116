import { ArgumentReader } from './arguments.ts';
import { readItem } from './attributes.ts';
import { compareValues, isEqual, iterate } from './compare-values.ts';
import { plain, textCharacters } from './marked-text.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { applyTest } from './tests.ts';
import { asNumber, Float, isTrue, Tuple, typeName, Undefined } from './values.ts';
import type { Arguments, Value } from './values.ts';

type Apply = (context: RenderContext, name: string, value: Value, given: Arguments) => Value;
type ListFilter = (context: RenderContext, value: Value, given: Arguments, apply: Apply) => Value;
type Read = (value: Value, given: ArgumentReader) => Value;

/** Jinja2's filters (its filters.py) for lists and dictionaries. */
export const listFilters: ReadonlyMap<string, ListFilter> = new Map<string, ListFilter>([
  ['list', reading([], listOf)],
  ['first', reading([], (value, given) => edge(iterate(given.context, value)[0], 'first'))],
  ['last', reading([], (value, given) => edge(iterate(given.context, value).at(-1), 'last'))],
  ['join', reading(['d', 'attribute'], join)],
  ['reverse', reading([], reverse)],
  ['sort', reading(['reverse', 'case_sensitive', 'attribute'], sort)],
  ['unique', reading(['case_sensitive', 'attribute'], unique)],
  ['sum', reading(['attribute', 'start'], sum)],
  ['min', reading(['case_sensitive', 'attribute'], (value, given) => extreme(value, given, 1))],
  ['max', reading(['case_sensitive', 'attribute'], (value, given) => extreme(value, given, -1))],
  ['items', reading([], itemsOf)],
  ['dictsort', reading(['case_sensitive', 'by', 'reverse'], sortDictionary)],
  ['groupby', reading(['attribute', 'default', 'case_sensitive'], groupBy)],
  ['attr', reading(['name'], (value, given) => readItem(given.context, value, given.name('name')))],
  ['batch', reading(['linecount', 'fill_with'], batch)],
  ['slice', reading(['slices', 'fill_with'], sliceInto)],
  ['map', mapItems],
  ['select', (context, value, given) => choose(context, value, given, true, false)],
  ['reject', (context, value, given) => choose(context, value, given, false, false)],
  ['selectattr', (context, value, given) => choose(context, value, given, true, true)],
  ['rejectattr', (context, value, given) => choose(context, value, given, false, true)],
]);

function reading(parameters: readonly string[], read: Read): ListFilter {
  return (context, value, given) => read(value, new ArgumentReader(context, 'filter', given, parameters));
}

function listOf(value: Value, given: ArgumentReader): Value[] {
  const items = iterate(given.context, value);
  given.context.makeList(items.length);
  return [...items];
}

function edge(value: Value | undefined, which: string): Value {
  return value === undefined ? new Undefined(`No ${which} item, sequence was empty.`) : value;
}

/** A value by a path such as `function.name` or `0`. */
function follow(context: RenderContext, value: Value, path: Value): Value {
  if (typeof path === 'number') return readItem(context, value, path);
  let current = value;
  for (const part of plain(context, toText(context, path)).split('.')) {
    current = readItem(context, current, /^\d+$/.test(part) ? Number(part) : part);
  }
  return current;
}

/** What items are ordered by: their attribute, without regard to case unless asked for. */
function orderKey(given: ArgumentReader, isCaseSensitive: boolean): (value: Value) => Value {
  const attribute = given.optional('attribute') ?? null;
  return (value) => {
    const key = attribute === null ? value : follow(given.context, value, attribute);
    return typeof key === 'string' && !isCaseSensitive ? key.toLowerCase() : key;
  };
}

function join(value: Value, given: ArgumentReader): string {
  const { context } = given;
  const attribute = given.optional('attribute') ?? null;
  const separator = given.has('d') ? toText(context, given.value('d')) : '';
  const parts: string[] = [];
  let length = 0;
  for (const item of iterate(context, value)) {
    const part = toText(context, attribute === null ? item : follow(context, item, attribute));
    length += part.length + separator.length;
    context.makeList(1);
    parts.push(part);
  }
  context.makeText(length);
  return parts.join(separator);
}

function reverse(value: Value, given: ArgumentReader): Value {
  if (typeof value === 'string') return textCharacters(given.context, value).toReversed().join('');
  return listOf(value, given).toReversed();
}

function sort(value: Value, given: ArgumentReader): Value {
  const { context } = given;
  const key = orderKey(given, given.isTrue('case_sensitive'));
  const direction = given.isTrue('reverse') ? -1 : 1;
  return listOf(value, given)
    .map((item): [Value, Value] => [key(item), item])
    .toSorted(([left], [right]) => direction * compareValues(context, left, right))
    .map(([, item]) => item);
}

function unique(value: Value, given: ArgumentReader): Value {
  const { context } = given;
  const key = orderKey(given, given.isTrue('case_sensitive'));
  const seen: Value[] = [];
  return listOf(value, given).filter((item) => {
    const itemKey = key(item);
    const isNew = !seen.some((other) => isEqual(context, other, itemKey));
    if (isNew) seen.push(itemKey);
    return isNew;
  });
}

function sum(value: Value, given: ArgumentReader): Value {
  const { context } = given;
  const attribute = given.optional('attribute') ?? null;
  let total = 0;
  let isFloat = false;
  for (const item of [given.optional('start') ?? 0, ...iterate(context, value)]) {
    const part = attribute === null || typeof item === 'number' ? item : follow(context, item, attribute);
    const number = asNumber(part);
    if (number === undefined) {
      throw new TemplateRuntimeError(`unsupported operand type(s) for +: 'int' and '${typeName(part)}'`);
    }
    isFloat ||= part instanceof Float;
    total += number;
  }
  return isFloat ? new Float(total) : total;
}

function extreme(value: Value, given: ArgumentReader, direction: number): Value {
  const key = orderKey(given, given.isTrue('case_sensitive'));
  const [first, ...rest] = iterate(given.context, value);
  let best = first;
  for (const item of rest) {
    if (best === undefined) break;
    if (direction * compareValues(given.context, key(item), key(best)) < 0) best = item;
  }
  return best === undefined ? new Undefined('No aggregated item, sequence was empty.') : best;
}

function itemsOf(value: Value, { context }: ArgumentReader): Value {
  if (value instanceof Undefined) return [];
  if (!(value instanceof Map)) throw new TemplateRuntimeError('Can only get item pairs from a mapping.');
  context.makeList(value.size);
  return Array.from(value, (entry) => new Tuple(entry));
}

function sortDictionary(value: Value, given: ArgumentReader): Value {
  if (value instanceof Undefined) throw new TemplateRuntimeError(value.reason);
  const pairs = itemsOf(value, given) as Tuple[];
  const index = given.has('by') && given.name('by') === 'value' ? 1 : 0;
  const isCaseSensitive = given.isTrue('case_sensitive');
  const key = (pair: Tuple): Value => {
    const item = pair.items[index] ?? null;
    return typeof item === 'string' && !isCaseSensitive ? item.toLowerCase() : item;
  };
  const direction = given.isTrue('reverse') ? -1 : 1;
  return pairs.toSorted((left, right) => direction * compareValues(given.context, key(left), key(right)));
}

function groupBy(value: Value, given: ArgumentReader): Value {
  const { context } = given;
  const attribute = given.value('attribute');
  const key = (item: Value): Value => {
    const found = follow(context, item, attribute);
    return found instanceof Undefined && given.has('default') ? given.value('default') : found;
  };
  const isCaseSensitive = given.isTrue('case_sensitive');
  const folded = (item: Value): Value =>
    typeof item === 'string' && !isCaseSensitive ? item.toLowerCase() : item;
  const groups: { order: Value; items: Value[]; grouper: Value }[] = [];
  const sorted = listOf(value, given).toSorted((left, right) =>
    compareValues(context, folded(key(left)), folded(key(right))),
  );
  for (const item of sorted) {
    const grouper = key(item);
    const last = groups.at(-1);
    if (last !== undefined && isEqual(context, last.order, folded(grouper))) last.items.push(item);
    else groups.push({ order: folded(grouper), items: [item], grouper });
  }
  return groups.map(({ grouper, items }) => new Tuple([grouper, items]));
}

function batch(value: Value, given: ArgumentReader): Value {
  const size = Math.max(1, given.integer('linecount', 1));
  const fill = given.optional('fill_with') ?? null;
  const items = listOf(value, given);
  const batches: Value[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  const last = batches.at(-1);
  if (fill !== null && last !== undefined) {
    given.context.makeList(size);
    while (last.length < size) last.push(fill);
  }
  return batches;
}

function sliceInto(value: Value, given: ArgumentReader): Value {
  const count = Math.max(1, given.integer('slices', 1));
  given.context.makeList(count);
  const fill = given.optional('fill_with') ?? null;
  const items = listOf(value, given);
  const short = Math.floor(items.length / count);
  const longer = items.length % count;
  let position = 0;
  return Array.from({ length: count }, (_, index) => {
    const size = short + (index < longer ? 1 : 0);
    const part = items.slice(position, position + size);
    position += size;
    if (fill !== null && index >= longer) part.push(fill);
    return part;
  });
}

function mapItems(context: RenderContext, value: Value, given: Arguments, apply: Apply): Value {
  const attribute = given.named.get('attribute');
  // Jinja2 looks whether there is anything before it looks whether it can be iterated.
  const items = isTrue(value) ? iterate(context, value) : [];
  context.makeList(items.length);
  if (attribute !== undefined) {
    const otherwise = given.named.get('default');
    return items.map((item) => {
      const found = follow(context, item, attribute);
      return found instanceof Undefined && otherwise !== undefined ? otherwise : found;
    });
  }
  const [name, ...rest] = given.positional;
  if (typeof name !== 'string') throw new TemplateRuntimeError('map requires a filter argument');
  return items.map((item) => apply(context, name, item, { positional: rest, named: given.named }));
}

function choose(
  context: RenderContext,
  value: Value,
  given: Arguments,
  wanted: boolean,
  byAttribute: boolean,
): Value {
  const [attribute, ...others] = given.positional;
  const [name, ...rest] = byAttribute ? others : given.positional;
  if (byAttribute && attribute === undefined)
    throw new TemplateRuntimeError('Missing parameter for attribute name');
  const items = isTrue(value) ? iterate(context, value) : [];
  context.makeList(items.length);
  return items.filter((item) => {
    const tested = byAttribute && attribute !== undefined ? follow(context, item, attribute) : item;
    const result =
      name === undefined ? isTrue(tested) : applyTest(context, toText(context, name), tested, rest);
    return result === wanted;
  });
}
