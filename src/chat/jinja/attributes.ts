import { lookUp } from './compare-values.ts';
import { containerMethod } from './container-methods.ts';
import { textCharacters } from './marked-text.ts';
import { represent } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { stringMethod } from './string-methods.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asNumber, asSequence, Fields, Namespace, Tuple, typeName, Undefined } from './values.ts';
import type { Value } from './values.ts';

/** `value.name`: Python's attributes go before the entries of a dictionary (Jinja2's `Environment.getattr`). */
export function readAttribute(context: RenderContext, value: Value, name: string): Value {
  const own = ownAttribute(context, value, name);
  if (own !== undefined) return own;
  const entry = readEntry(context, value, name);
  return entry === undefined ? missing(context, value, name) : entry;
}

/** `value[key]`: entries go first (Jinja2's `Environment.getitem`). */
export function readItem(context: RenderContext, value: Value, key: Value): Value {
  const found = readEntry(context, value, key);
  if (found !== undefined) return found;
  const attribute = typeof key === 'string' ? ownAttribute(context, value, key) : undefined;
  return attribute === undefined ? missing(context, value, key) : attribute;
}

/** `value[start:stop:step]`. @throws {TemplateRuntimeError} */
export function slice(
  context: RenderContext,
  value: Value,
  bounds: readonly [start: Value, stop: Value, step: Value],
): Value {
  const [start, stop, step] = bounds.map(bound);
  if (typeof value === 'string') {
    return pick(context, textCharacters(context, value), start, stop, step).join('');
  }
  const items = asSequence(value);
  if (items !== undefined) {
    const picked = pick(context, items, start, stop, step);
    return value instanceof Tuple ? new Tuple(picked) : picked;
  }
  if (value instanceof Undefined) throw undefinedError(value);
  return missing(context, value, 'slice');
}

/** What Jinja says when a missing value is used. */
export function undefinedError(value: Undefined): TemplateRuntimeError {
  return new TemplateRuntimeError(value.reason);
}

function ownAttribute(context: RenderContext, value: Value, name: string): Value | undefined {
  if (typeof value === 'string') return stringMethod(context, value, name);
  if (value instanceof Namespace) return value.attributes.get(name);
  if (value instanceof Fields) return value.read(name);
  if (value instanceof Undefined) throw undefinedError(value);
  return containerMethod(context, value, name);
}

function readEntry(context: RenderContext, value: Value, key: Value): Value | undefined {
  if (value instanceof Undefined) throw undefinedError(value);
  if (value instanceof Map) return lookUp(context, value, key);
  const index = asNumber(key);
  if (index === undefined || !Number.isInteger(index)) return undefined;
  if (typeof value === 'string') return textCharacters(context, value).at(index);
  return asSequence(value)?.at(index);
}

function missing(context: RenderContext, value: Value, key: Value): Undefined {
  if (value === null) return new Undefined(`'None' has no attribute ${represent(context, key)}`);
  const kind = typeof key === 'string' ? 'attribute' : 'element';
  return new Undefined(`'${typeName(value)} object' has no ${kind} ${represent(context, key)}`);
}

function bound(value: Value): number | undefined {
  if (value === null || value instanceof Undefined) return undefined;
  const number = asNumber(value);
  if (number !== undefined && Number.isInteger(number)) return number;
  throw new TemplateRuntimeError('slice indices must be integers or None');
}

/** CPython's `PySlice_AdjustIndices`. */
function pick<T>(
  context: RenderContext,
  items: readonly T[],
  start: number | undefined,
  stop: number | undefined,
  step = 1,
): T[] {
  if (step === 0) throw new TemplateRuntimeError('slice step cannot be zero');
  const { length } = items;
  const lowest = step < 0 ? -1 : 0;
  const highest = step < 0 ? length - 1 : length;
  const clamp = (index: number): number =>
    index < 0 ? Math.max(index + length, lowest) : Math.min(index, highest);
  const first = start === undefined ? (step < 0 ? highest : lowest) : clamp(start);
  const last = stop === undefined ? (step < 0 ? lowest : highest) : clamp(stop);
  const picked: T[] = [];
  context.makeList(length);
  for (let index = first; step < 0 ? index > last : index < last; index += step) {
    picked.push(items[index] as T);
  }
  return picked;
}
