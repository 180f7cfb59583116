import { plain } from './marked-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateLimitError } from './template-error.ts';
import { maximumValueDepth } from './template-limits.ts';
import { Callable, Fields, Float, Markup, Namespace, Tuple, Undefined } from './values.ts';
import type { Value } from './values.ts';

/** Python's `str(value)`: what `{{ value }}` writes. */
export function toText(context: RenderContext, value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) return '';
  if (value instanceof Markup) return value.text;
  return represent(context, value, 0);
}

/** Python's `repr(value)`. */
export function represent(context: RenderContext, value: Value, depth = 0): string {
  if (depth > maximumValueDepth) {
    throw new TemplateLimitError(`values nested more than ${maximumValueDepth} deep`);
  }
  context.spend();
  if (value === null) return 'None';
  if (typeof value === 'string') return representText(context, value);
  if (typeof value === 'number') return integerText(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Undefined) return 'Undefined';
  const inner = (item: Value): string => represent(context, item, depth + 1);
  if (Array.isArray(value)) return counted(context, `[${joinAll(context, value, inner)}]`);
  if (value instanceof Tuple) {
    const comma = value.items.length === 1 ? ',' : '';
    return counted(context, `(${joinAll(context, value.items, inner)}${comma})`);
  }
  if (value instanceof Map) {
    const entry = ([key, item]: [Value, Value]): string => `${inner(key)}: ${inner(item)}`;
    return counted(context, `{${joinAll(context, [...value], entry)}}`);
  }
  if (value instanceof Namespace) return `<Namespace ${inner(new Map<Value, Value>(value.attributes))}>`;
  if (value instanceof Fields) return `<${value.typeName}>`;
  if (value instanceof Callable) return `<function ${value.name}>`;
  return '';
}

function joinAll<T>(context: RenderContext, items: readonly T[], write: (item: T) => string): string {
  let result = '';
  for (const item of items) {
    const text = write(item);
    context.makeText(result.length + text.length, text.length);
    result += result === '' ? text : `, ${text}`;
  }
  return result;
}

function counted(context: RenderContext, text: string): string {
  context.makeText(text.length);
  return text;
}

/** An `int`; large ones are written out. */
export function integerText(value: number): string {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value).toString() : String(value);
}

/** Python's `repr` of a float: the shortest digits, exponents from 1e16 and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent >= 16 || exponent < -4)) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = exponent < 0 ? value.toFixed(Math.max(0, fractionDigits(digits) - exponent)) : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function fractionDigits(digits: string): number {
  const point = digits.indexOf('.');
  return point < 0 ? 0 : digits.length - point - 1;
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}\\'"]/gu;

function representText(context: RenderContext, text: string): string {
  const visible = plain(context, text);
  const quote = visible.includes("'") && !visible.includes('"') ? '"' : "'";
  const result = text.replace(unprintable, (character) => {
    if (character === context.mark || character === ' ') return character;
    if (character === '"' || character === "'") return character === quote ? `\\${character}` : character;
    if (character === '\\') return '\\\\';
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    if (character === '\t') return '\\t';
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code <= 0xff_ff) return `\\u${code.toString(16).padStart(4, '0')}`;
    return `\\U${code.toString(16).padStart(8, '0')}`;
  });
  context.makeText(result.length + 2);
  return quote + result + quote;
}
