import { plain, textCharacters } from './marked-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateLimitError, TemplateRuntimeError } from './template-error.ts';
import { maximumValueDepth } from './template-limits.ts';
import { asNumber, asSequence, Float, Tuple, typeName, Undefined } from './values.ts';
import type { Dictionary, Value } from './values.ts';

/** Python's `==`. */
export function isEqual(context: RenderContext, left: Value, right: Value, depth = 0): boolean {
  if (depth > maximumValueDepth) {
    throw new TemplateLimitError(`values nested more than ${maximumValueDepth} deep`);
  }
  context.spend();
  if (left === right) return true;
  if (typeof left === 'string') {
    if (typeof right !== 'string') return false;
    context.readText(Math.min(left.length, right.length));
    return plain(context, left) === plain(context, right);
  }
  if (left instanceof Undefined) return right instanceof Undefined;
  const leftNumber = asNumber(left);
  if (leftNumber !== undefined) return leftNumber === asNumber(right);
  if (left instanceof Map && right instanceof Map) {
    return isEqualDictionary(context, left, right, depth + 1);
  }
  const leftItems = asSequence(left);
  const rightItems = asSequence(right);
  if (leftItems === undefined || rightItems === undefined) return false;
  if (left instanceof Tuple !== right instanceof Tuple || leftItems.length !== rightItems.length)
    return false;
  return leftItems.every((item, index) => isEqual(context, item, rightItems[index] ?? null, depth + 1));
}

function isEqualDictionary(
  context: RenderContext,
  left: Dictionary,
  right: Dictionary,
  depth: number,
): boolean {
  if (left.size !== right.size) return false;
  for (const [key, item] of left) {
    const other = right.get(key);
    if (other === undefined || !isEqual(context, item, other, depth)) return false;
  }
  return true;
}

/** Negative, zero or positive, as Python orders. @throws {TemplateRuntimeError} for values without an order */
export function compareValues(context: RenderContext, left: Value, right: Value, operator = '<'): number {
  context.spend();
  if (typeof left === 'string' && typeof right === 'string') {
    context.readText(Math.min(left.length, right.length));
    return compareTexts(plain(context, left), plain(context, right));
  }
  const leftNumber = asNumber(left);
  const rightNumber = asNumber(right);
  if (leftNumber !== undefined && rightNumber !== undefined) return leftNumber - rightNumber;
  const leftItems = asSequence(left);
  const rightItems = asSequence(right);
  if (leftItems !== undefined && rightItems !== undefined) {
    for (const [index, item] of leftItems.entries()) {
      const other = rightItems[index];
      if (other === undefined) return 1;
      if (!isEqual(context, item, other)) return compareValues(context, item, other, operator);
    }
    return leftItems.length - rightItems.length;
  }
  throw new TemplateRuntimeError(
    `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
  );
}

/** By code point, as Python; JavaScript orders by UTF-16 unit. */
function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    if (left.charCodeAt(index) !== right.charCodeAt(index)) {
      return (left.codePointAt(index) ?? 0) - (right.codePointAt(index) ?? 0);
    }
  }
  return left.length - right.length;
}

/** Python's `item in container`. @throws {TemplateRuntimeError} */
export function contains(context: RenderContext, container: Value, item: Value): boolean {
  if (typeof container === 'string') {
    if (typeof item !== 'string') {
      throw new TemplateRuntimeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    context.readText(container.length);
    return plain(context, container).includes(plain(context, item));
  }
  if (container instanceof Map) return lookUp(context, container, item) !== undefined;
  const items = asSequence(container);
  if (items !== undefined) return items.some((other) => isEqual(context, other, item));
  if (container instanceof Undefined) return false;
  throw new TemplateRuntimeError(`argument of type '${typeName(container)}' is not iterable`);
}

/** The entry of a dictionary; a guarded key finds what its plain text finds. */
export function lookUp(context: RenderContext, dictionary: Dictionary, key: Value): Value | undefined {
  const found = dictionary.get(keyOf(key));
  if (found !== undefined || typeof key !== 'string') return found;
  return dictionary.get(plain(context, key));
}

/** What stands for a key in a dictionary. @throws {TemplateRuntimeError} for what Python cannot hash */
export function keyOf(key: Value): Value {
  if (Array.isArray(key) || key instanceof Map) {
    throw new TemplateRuntimeError(`unhashable type: '${typeName(key)}'`);
  }
  return key instanceof Float ? key.value : key;
}

/** The values that a `for` runs over. @throws {TemplateRuntimeError} */
export function iterate(context: RenderContext, value: Value): readonly Value[] {
  const items = asSequence(value);
  if (items !== undefined) {
    context.spend();
    return items;
  }
  if (value instanceof Map) {
    context.makeList(value.size);
    return [...value.keys()];
  }
  if (typeof value === 'string') return textCharacters(context, value);
  if (value instanceof Undefined) return [];
  throw new TemplateRuntimeError(`'${typeName(value)}' object is not iterable`);
}
