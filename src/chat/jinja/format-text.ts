import { lookUp } from './compare-values.ts';
import { plain, textLength } from './marked-text.ts';
import { floatText, integerText, represent, toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asNumber, asSequence, Float, Tuple, typeName } from './values.ts';
import type { Arguments, Value } from './values.ts';

const replacementField = /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g;
const fieldStep = /\.([^.[\]]+)|\[([^\]]+)\]/g;

/** Python's `str.format`. @throws {TemplateRuntimeError} */
export function formatFields(context: RenderContext, format: string, given: Arguments): string {
  context.readText(format.length);
  let automatic = 0;
  let result = '';
  let position = 0;
  for (const match of format.matchAll(replacementField)) {
    const [whole, field = '', conversion, specification = ''] = match;
    result += format.slice(position, match.index);
    position = match.index + whole.length;
    if (whole === '{{' || whole === '}}') {
      result += whole.charAt(0);
      continue;
    }
    if (whole.length === 1) throw new TemplateRuntimeError(`Single '${whole}' encountered in format string`);
    const [first = ''] = /^[^.[]*/.exec(plain(context, field)) ?? [];
    const start = first === '' ? given.positional[automatic++] : argumentOf(given, first);
    if (start === undefined) {
      throw new TemplateRuntimeError(`Replacement index or key '${first}' out of range`);
    }
    let value = followField(context, start, plain(context, field).slice(first.length));
    if (conversion !== undefined) {
      value = conversion === 's' ? toText(context, value) : represent(context, value);
    }
    result += formatValue(context, value, plain(context, specification));
    context.makeText(result.length);
  }
  return result + format.slice(position);
}

function argumentOf(given: Arguments, name: string): Value | undefined {
  return /^\d+$/.test(name) ? given.positional[Number(name)] : given.named.get(name);
}

function followField(context: RenderContext, start: Value, path: string): Value {
  let value = start;
  for (const [, , index] of path.matchAll(fieldStep)) {
    const items = asSequence(value);
    const next =
      items === undefined
        ? value instanceof Map && index !== undefined
          ? lookUp(context, value, index)
          : undefined
        : items[Number(index)];
    if (next === undefined) throw new TemplateRuntimeError(`Cannot follow '${path}' in a format string`);
    value = next;
  }
  return value;
}

const specificationPattern =
  /^(?:([\s\S])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u;

/** Python's format specification mini-language. */
function formatValue(context: RenderContext, value: Value, specification: string): string {
  if (specification === '') return toText(context, value);
  const match = specificationPattern.exec(specification);
  if (match === null) throw new TemplateRuntimeError(`Invalid format specifier '${specification}'`);
  const [, fill, align, sign = '-', alternate, zero, width = '0', grouping, precision, kind] = match;
  const number = asNumber(value);
  const isNumber = number !== undefined && kind !== 's';
  let text: string;
  if (!isNumber) {
    if (kind !== undefined && kind !== 's') {
      throw new TemplateRuntimeError(`Unknown format code '${kind}' for object of type '${typeName(value)}'`);
    }
    const characters = Array.from(toText(context, value));
    text = characters.slice(0, precision === undefined ? undefined : Number(precision)).join('');
  } else {
    const digits = numberDigits(value instanceof Float, Math.abs(number), kind, precision, alternate);
    const grouped = grouping === undefined ? digits : groupDigits(digits, grouping);
    const signText = number < 0 || Object.is(number, -0) ? '-' : sign === '-' ? '' : sign;
    text = signText + grouped;
  }
  context.makeText(Number(width));
  const missing = Math.max(0, Number(width) - textLength(context, text));
  const filler = fill ?? (zero === undefined ? ' ' : '0');
  const side = align ?? (isNumber ? (zero === undefined ? '>' : '=') : '<');
  if (side === '<') return text + filler.repeat(missing);
  if (side === '>') return filler.repeat(missing) + text;
  if (side === '^') {
    const left = Math.floor(missing / 2);
    return filler.repeat(left) + text + filler.repeat(missing - left);
  }
  const signLength = /^[-+ ]/.test(text) ? 1 : 0;
  return text.slice(0, signLength) + filler.repeat(missing) + text.slice(signLength);
}

/** Python allows more, JavaScript's `toFixed` does not. */
const maximumPrecision = 100;

function numberDigits(
  isFloat: boolean,
  value: number,
  kind: string | undefined,
  precision: string | undefined,
  alternate: string | undefined,
): string {
  const places = Math.min(Number(precision ?? 6), maximumPrecision);
  const prefix = (letter: string): string => (alternate === undefined ? '' : `0${letter}`);
  switch (kind) {
    case 'f':
    case 'F':
      return value.toFixed(places);
    case '%':
      return `${(value * 100).toFixed(places)}%`;
    case 'e':
    case 'E': {
      const text = value.toExponential(places).replace(/e([-+])(\d)$/, 'e$10$2');
      return kind === 'E' ? text.toUpperCase() : text;
    }
    case 'x':
      return prefix('x') + value.toString(16);
    case 'X':
      return prefix('X') + value.toString(16).toUpperCase();
    case 'b':
      return prefix('b') + value.toString(2);
    case 'o':
      return prefix('o') + value.toString(8);
    case 'c':
      return String.fromCodePoint(value);
    case 'g':
    case 'G':
      return generalDigits(value, places);
    default:
      if (!isFloat) return integerText(value);
      return precision === undefined ? floatText(value) : generalDigits(value, places);
  }
}

/** C's `%g`: exponents below 1e-4 and from the number of digits on. */
function generalDigits(value: number, places: number): string {
  const digits = Math.max(1, places);
  const rounded = Number(value.toPrecision(digits));
  const exponent = rounded === 0 ? 0 : Math.floor(Math.log10(rounded));
  if (exponent >= -4 && exponent < digits) return String(rounded);
  return rounded.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
}

function groupDigits(digits: string, separator: string): string {
  const [whole = '', fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, separator);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const percentField = /%(?:\(([^)]*)\))?([-+ 0#]*)(\d+)?(?:\.(\d+))?([sdifFeEgGxXorc%])/g;

/** Python's `format % values`, which Jinja's `format` filter uses as well. @throws {TemplateRuntimeError} */
export function formatPercent(context: RenderContext, format: string, values: Value): string {
  context.readText(format.length);
  const items = values instanceof Tuple ? values.items : [values];
  let next = 0;
  const result = format.replace(
    percentField,
    (
      _whole: string,
      key: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      kind: string,
    ) => {
      if (kind === '%') return '%';
      const value =
        key === undefined ? items[next++] : values instanceof Map ? lookUp(context, values, key) : undefined;
      if (value === undefined) throw new TemplateRuntimeError('not enough arguments for format string');
      const number = asNumber(value);
      if (kind !== 's' && kind !== 'r' && number === undefined) {
        throw new TemplateRuntimeError(`%${kind} format: a number is required, not ${typeName(value)}`);
      }
      const align = flags.includes('-') ? '<' : flags.includes('0') && kind !== 's' ? '0=' : '>';
      const sign = flags.includes('+') ? '+' : '';
      const isWhole = kind === 'd' || kind === 'i';
      const code = isWhole ? 'd' : kind === 'r' ? 's' : kind;
      const shown = isWhole ? Math.trunc(number ?? 0) : kind === 'r' ? represent(context, value) : value;
      const digits = precision === undefined || isWhole ? '' : `.${precision}`;
      const text = code === 's' ? toText(context, shown) : shown;
      return formatValue(context, text, `${align}${sign}${width ?? ''}${digits}${code}`);
    },
  );
  if (!(values instanceof Map) && next < items.length && (values instanceof Tuple || next === 0)) {
    throw new TemplateRuntimeError('not all arguments converted during string formatting');
  }
  context.makeText(result.length);
  return result;
}
