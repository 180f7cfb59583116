import { ArgumentReader } from './arguments.ts';
import { compareValues, isEqual, iterate, keyOf, lookUp } from './compare-values.ts';
import { represent } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asSequence, Callable, Tuple } from './values.ts';
import type { Dictionary, Value } from './values.ts';

type Entries<T> = ReadonlyMap<
  string,
  readonly [parameters: readonly string[], method: (target: T, given: ArgumentReader) => Value]
>;

/** Python's methods of `dict`. */
const dictionaryMethods: Entries<Dictionary> = new Map<
  string,
  readonly [readonly string[], (target: Dictionary, given: ArgumentReader) => Value]
>([
  ['get', [['key', 'default'], getEntry]],
  ['items', [[], (target) => Array.from(target, (entry) => new Tuple(entry))]],
  ['keys', [[], (target) => [...target.keys()]]],
  ['values', [[], (target) => [...target.values()]]],
  ['copy', [[], (target) => new Map(target)]],
  ['pop', [['key', 'default'], popEntry]],
  ['setdefault', [['key', 'default'], setDefault]],
  ['update', [['other'], updateEntries]],
  ['clear', [[], (target) => (target.clear(), null)]],
]);

/** Python's methods of `list`; a list may change, as with transformers' `allow-list-mutation` sandbox. */
const listMethods: Entries<Value[]> = new Map<
  string,
  readonly [readonly string[], (target: Value[], given: ArgumentReader) => Value]
>([
  ['append', [['object'], (target, given) => (grow(target, given, [given.value('object')]), null)]],
  [
    'extend',
    [
      ['iterable'],
      (target, given) => (grow(target, given, iterate(given.context, given.value('iterable'))), null),
    ],
  ],
  ['insert', [['index', 'object'], insertItem]],
  ['pop', [['index'], popItem]],
  ['remove', [['value'], (target, given) => (target.splice(indexOf(target, given), 1), null)]],
  ['index', [['value'], indexOf]],
  ['count', [['value'], countItem]],
  ['reverse', [[], reverseItems]],
  [
    'sort',
    [[], (target, { context }) => (target.sort((left, right) => compareValues(context, left, right)), null)],
  ],
  ['copy', [[], (target) => [...target]]],
  ['clear', [[], (target) => ((target.length = 0), null)]],
]);

/** A method of a list, tuple or dictionary, ready to be called; nothing when Python has none of that name. */
export function containerMethod(context: RenderContext, target: Value, name: string): Callable | undefined {
  if (target instanceof Map) return bind(context, dictionaryMethods, target, name);
  if (Array.isArray(target)) return bind(context, listMethods, target, name);
  if (target instanceof Tuple && (name === 'index' || name === 'count')) {
    return bind(context, listMethods, [...target.items], name);
  }
  return undefined;
}

function bind<T>(context: RenderContext, methods: Entries<T>, target: T, name: string): Callable | undefined {
  const entry = methods.get(name);
  if (entry === undefined) return undefined;
  const [parameters, method] = entry;
  return new Callable(name, (given) => {
    context.spend();
    return method(target, new ArgumentReader(context, name, given, parameters));
  });
}

function getEntry(target: Dictionary, given: ArgumentReader): Value {
  const found = lookUp(given.context, target, given.value('key'));
  return found === undefined ? (given.optional('default') ?? null) : found;
}

function popEntry(target: Dictionary, given: ArgumentReader): Value {
  const key = keyOf(given.value('key'));
  const found = target.get(key);
  if (found === undefined && !given.has('default')) {
    throw new TemplateRuntimeError(`KeyError: ${represent(given.context, key)}`);
  }
  target.delete(key);
  return found === undefined ? (given.optional('default') ?? null) : found;
}

function setDefault(target: Dictionary, given: ArgumentReader): Value {
  const key = keyOf(given.value('key'));
  const found = target.get(key);
  const value = found === undefined ? (given.optional('default') ?? null) : found;
  target.set(key, value);
  return value;
}

function updateEntries(target: Dictionary, given: ArgumentReader): Value {
  const other = given.value('other');
  const pairs = other instanceof Map ? [...other] : iterate(given.context, other).map(asPair);
  given.context.makeList(target.size + pairs.length);
  for (const [key, value] of pairs) target.set(keyOf(key), value);
  return null;
}

/** A key and its value. @throws {TemplateRuntimeError} */
export function asPair(value: Value): [Value, Value] {
  const [key, item, ...more] = asSequence(value) ?? [];
  if (key === undefined || item === undefined || more.length > 0) {
    throw new TemplateRuntimeError('dictionary update sequence element has not the length 2');
  }
  return [key, item];
}

function grow(target: Value[], given: ArgumentReader, items: readonly Value[]): void {
  given.context.makeList(target.length + items.length);
  // A list may be extended by itself: the length must not move along.
  const { length } = items;
  for (let index = 0; index < length; index += 1) target.push(items[index] ?? null);
}

function insertItem(target: Value[], given: ArgumentReader): Value {
  given.context.makeList(target.length + 1);
  target.splice(given.integer('index', 0), 0, given.value('object'));
  return null;
}

function popItem(target: Value[], given: ArgumentReader): Value {
  const index = given.integer('index', -1);
  const at = index < 0 ? target.length + index : index;
  if (at < 0 || at >= target.length) throw new TemplateRuntimeError('pop index out of range');
  return target.splice(at, 1)[0] ?? null;
}

function indexOf(target: Value[], given: ArgumentReader): number {
  const value = given.value('value');
  const index = target.findIndex((item) => isEqual(given.context, item, value));
  if (index < 0) throw new TemplateRuntimeError('the value is not in the list');
  return index;
}

function countItem(target: Value[], given: ArgumentReader): number {
  const value = given.value('value');
  return target.filter((item) => isEqual(given.context, item, value)).length;
}

function reverseItems(target: Value[]): Value {
  for (const [index, item] of target.toReversed().entries()) target[index] = item;
  return null;
}
