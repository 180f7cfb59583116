import { ArgumentReader } from './arguments.ts';
import { undefinedError } from './attributes.ts';
import { escapeText } from './escape-text.ts';
import { formatPercent } from './format-text.ts';
import { listFilters } from './list-filters.ts';
import { plain, stripText, textCharacters, textLength } from './marked-text.ts';
import { floatText, toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { capitalizeText, countWords, indentText, replaceText } from './split-text.ts';
import { stringMethod } from './string-methods.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { toJson } from './to-json.ts';
import { asNumber, asSequence, Float, isTrue, Markup, Tuple, typeName, Undefined } from './values.ts';
import type { Arguments, Value } from './values.ts';

/** A filter with arguments that are read by position or name. */
export type Filter = (value: Value, given: ArgumentReader) => Value;

/** Jinja2's filters (its filters.py) for texts and numbers, with the names of their parameters. */
const valueFilters: ReadonlyMap<string, readonly [parameters: readonly string[], filter: Filter]> = new Map<
  string,
  readonly [readonly string[], Filter]
>([
  ['safe', [[], (value, given) => new Markup(text(value, given))]],
  ['string', [[], text]],
  ['tojson', [['ensure_ascii', 'indent', 'separators', 'sort_keys'], filterToJson]],
  ['default', [['default_value', 'boolean'], filterDefault]],
  ['d', [['default_value', 'boolean'], filterDefault]],
  ['length', [[], filterLength]],
  ['count', [[], filterLength]],
  ['upper', [[], (value, given) => text(value, given).toUpperCase()]],
  ['lower', [[], (value, given) => text(value, given).toLowerCase()]],
  ['capitalize', [[], (value, given) => capitalizeText(text(value, given))]],
  ['title', [[], (value, given) => titleWords(text(value, given))]],
  ['trim', [['chars'], filterTrim]],
  ['replace', [['old', 'new', 'count'], filterReplace]],
  ['indent', [['width', 'first', 'blank'], filterIndent]],
  ['center', [['width'], filterCenter]],
  ['truncate', [['length', 'killwords', 'end', 'leeway'], filterTruncate]],
  ['wordcount', [[], (value, given) => countWords(plain(given.context, text(value, given)))]],
  ['escape', [[], filterEscape]],
  ['e', [[], filterEscape]],
  ['forceescape', [[], filterEscape]],
  ['urlencode', [[], (value, given) => encodeURIComponent(text(value, given)).replaceAll('%2F', '/')]],
  ['int', [['default', 'base'], filterInteger]],
  ['float', [['default'], filterFloat]],
  ['abs', [[], filterAbsolute]],
  ['round', [['precision', 'method'], filterRound]],
]);

/** `value | name(arguments)`. @throws {TemplateRuntimeError} */
export function applyFilter(context: RenderContext, name: string, value: Value, given: Arguments): Value {
  context.spend();
  if (name === 'format') return filterFormat(context, value, given);
  const entry = valueFilters.get(name);
  if (entry !== undefined) return entry[1](value, new ArgumentReader(context, name, given, entry[0]));
  const listFilter = listFilters.get(name);
  if (listFilter === undefined) throw new TemplateRuntimeError(`No filter named '${name}'.`);
  return listFilter(context, value, given, applyFilter);
}

function text(value: Value, given: ArgumentReader): string {
  const written = toText(given.context, value);
  given.context.makeText(written.length);
  return written;
}

function filterToJson(value: Value, given: ArgumentReader): string {
  const indent = given.optional('indent') ?? null;
  const separators = asSequence(given.optional('separators') ?? null);
  const [item, key] = separators ?? [];
  const indentText =
    indent === null ? undefined : typeof indent === 'string' ? indent : ' '.repeat(indentWidth(given));
  return toJson(given.context, value, {
    ensureAscii: given.isTrue('ensure_ascii'),
    indent: indentText,
    separators: [
      typeof item === 'string' ? item : indent === null ? ', ' : ',',
      typeof key === 'string' ? key : ': ',
    ],
    sortKeys: given.isTrue('sort_keys'),
  });
}

function indentWidth(given: ArgumentReader): number {
  const width = Math.max(0, given.integer('indent', 0));
  given.context.makeText(width);
  return width;
}

function filterDefault(value: Value, given: ArgumentReader): Value {
  const isMissing = value instanceof Undefined || (given.isTrue('boolean') && !isTrue(value));
  if (!isMissing) return value;
  return given.has('default_value') ? given.value('default_value') : '';
}

function filterLength(value: Value, given: ArgumentReader): number {
  if (typeof value === 'string') return textLength(given.context, value);
  if (value instanceof Map) return value.size;
  if (value instanceof Undefined) return 0;
  const items = asSequence(value);
  if (items !== undefined) return items.length;
  throw new TemplateRuntimeError(`object of type '${typeName(value)}' has no len()`);
}

function filterTrim(value: Value, given: ArgumentReader): string {
  return stripText(given.context, text(value, given), 'both', given.optionalText('chars'));
}

function filterReplace(value: Value, given: ArgumentReader): string {
  const from = toText(given.context, given.value('old'));
  const to = toText(given.context, given.value('new'));
  return replaceText(given.context, text(value, given), from, to, given.integer('count', -1));
}

function filterIndent(value: Value, given: ArgumentReader): string {
  const width = given.optional('width') ?? 4;
  const indent = typeof width === 'string' ? width : spaces(given, given.integer('width', 4));
  const source = text(value, given);
  return indentText(given.context, source, indent, given.isTrue('first'), given.isTrue('blank'));
}

function spaces(given: ArgumentReader, count: number): string {
  given.context.makeText(Math.max(0, count));
  return ' '.repeat(Math.max(0, count));
}

function filterCenter(value: Value, given: ArgumentReader): Value {
  const center = stringMethod(given.context, text(value, given), 'center');
  const width = given.integer('width', 80);
  return center?.call({ positional: [width], named: new Map() }) ?? '';
}

function filterTruncate(value: Value, given: ArgumentReader): string {
  const source = text(value, given);
  const length = given.integer('length', 255);
  const end = given.optionalText('end') ?? '...';
  const characters = textCharacters(given.context, source);
  if (characters.length <= length + given.integer('leeway', 5)) return source;
  const kept = characters.slice(0, Math.max(0, length - textLength(given.context, end))).join('');
  if (given.isTrue('killwords')) return kept + end;
  const lastSpace = kept.lastIndexOf(' ');
  return (lastSpace < 0 ? kept : kept.slice(0, lastSpace)) + end;
}

function filterEscape(value: Value, given: ArgumentReader): string {
  return escapeText(given.context, text(value, given));
}

/** Jinja's `title` begins a word after white space and some punctuation only. */
function titleWords(source: string): string {
  return source
    .split(/([-\s({[<]+)/)
    .map((part) => capitalizeText(part))
    .join('');
}

function filterInteger(value: Value, given: ArgumentReader): Value {
  const otherwise = given.has('default') ? given.value('default') : 0;
  if (typeof value !== 'string') {
    const number = asNumber(value);
    return number === undefined || !Number.isFinite(number) ? otherwise : Math.trunc(number);
  }
  const source = plain(given.context, value).trim().replaceAll('_', '').toLowerCase();
  const base = given.integer('base', 10);
  const prefixed = base === 16 ? /^([-+]?)(?:0x)?([0-9a-f]+)$/.exec(source) : undefined;
  if (prefixed) return Number.parseInt(`${prefixed[1]}${prefixed[2]}`, 16);
  if (base !== 10 && /^[-+]?[0-9a-z]+$/.test(source)) {
    const parsed = Number.parseInt(source.replace(/^([-+]?)0[bo]/, '$1'), base);
    return Number.isNaN(parsed) ? otherwise : parsed;
  }
  const parsed = parseNumber(source);
  return parsed === undefined || !Number.isFinite(parsed) ? otherwise : Math.trunc(parsed);
}

function filterFloat(value: Value, given: ArgumentReader): Value {
  const otherwise = given.has('default') ? given.value('default') : new Float(0);
  const number =
    typeof value === 'string' ? parseNumber(plain(given.context, value).trim()) : asNumber(value);
  return number === undefined ? otherwise : new Float(number);
}

function parseNumber(source: string): number | undefined {
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(source) ? Number(source) : undefined;
}

function numberOf(value: Value): number {
  if (value instanceof Undefined) throw undefinedError(value);
  const number = asNumber(value);
  if (number !== undefined) return number;
  throw new TemplateRuntimeError(`a number was expected, not ${typeName(value)}`);
}

function filterAbsolute(value: Value): Value {
  const number = Math.abs(numberOf(value));
  return value instanceof Float ? new Float(number) : number;
}

function filterRound(value: Value, given: ArgumentReader): Value {
  const number = numberOf(value);
  const scale = 10 ** given.integer('precision', 0);
  const method = given.has('method') ? given.name('method') : 'common';
  if (method === 'ceil') return new Float(Math.ceil(number * scale) / scale);
  if (method === 'floor') return new Float(Math.floor(number * scale) / scale);
  const scaled = number * scale;
  const floor = Math.floor(scaled);
  // Python rounds a half to the even neighbour.
  const isHalf = scaled - floor === 0.5;
  const rounded = (isHalf ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(scaled)) / scale;
  return value instanceof Float ? new Float(Number(floatText(rounded))) : rounded;
}

function filterFormat(context: RenderContext, value: Value, given: Arguments): string {
  if (given.named.size > 0 && given.positional.length > 0) {
    throw new TemplateRuntimeError("can't handle positional and keyword arguments at the same time");
  }
  const values = given.named.size > 0 ? new Map<Value, Value>(given.named) : new Tuple(given.positional);
  return formatPercent(context, toText(context, value), values);
}
