import { ArgumentReader } from './arguments.ts';
import { iterate } from './compare-values.ts';
import { formatFields } from './format-text.ts';
import { occurrences, plain, sliceVisible, stripText, textCharacters, textLength } from './marked-text.ts';
import type { RenderContext } from './render-context.ts';
import {
  capitalizeText,
  replaceText,
  splitLines,
  splitText,
  splitTextFromEnd,
  titleText,
} from './split-text.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { Callable, Tuple, typeName } from './values.ts';
import type { Value } from './values.ts';
import { isBlank } from './whitespace.ts';

type Method = (text: string, given: ArgumentReader) => Value;

/** Python's methods of `str`, with the names of their parameters. */
const methods: ReadonlyMap<string, readonly [parameters: readonly string[], method: Method]> = new Map<
  string,
  readonly [readonly string[], Method]
>([
  ['upper', [[], (text) => text.toUpperCase()]],
  ['lower', [[], (text) => text.toLowerCase()]],
  ['casefold', [[], (text) => text.toLowerCase().replaceAll('ß', 'ss')]],
  ['title', [[], titleText]],
  ['capitalize', [[], capitalizeText]],
  ['swapcase', [[], (text) => text.replace(/\p{L}/gu, swapCase)]],
  ['strip', [['chars'], (text, given) => strip(text, given, 'both')]],
  ['lstrip', [['chars'], (text, given) => strip(text, given, 'start')]],
  ['rstrip', [['chars'], (text, given) => strip(text, given, 'end')]],
  ['split', [['sep', 'maxsplit'], (text, given) => split(text, given, splitText)]],
  ['rsplit', [['sep', 'maxsplit'], (text, given) => split(text, given, splitTextFromEnd)]],
  ['splitlines', [['keepends'], (text, given) => splitLines(given.context, text, given.isTrue('keepends'))]],
  ['startswith', [['prefix', 'start', 'end'], (text, given) => matchesEdge(text, given, 'prefix')]],
  ['endswith', [['suffix', 'start', 'end'], (text, given) => matchesEdge(text, given, 'suffix')]],
  ['replace', [['old', 'new', 'count'], replace]],
  ['removeprefix', [['prefix'], (text, given) => removeEdge(text, given, 'prefix')]],
  ['removesuffix', [['suffix'], (text, given) => removeEdge(text, given, 'suffix')]],
  ['find', [['sub', 'start', 'end'], (text, given) => find(text, given, false)]],
  ['rfind', [['sub', 'start', 'end'], (text, given) => find(text, given, true)]],
  ['index', [['sub', 'start', 'end'], (text, given) => found(find(text, given, false))]],
  ['rindex', [['sub', 'start', 'end'], (text, given) => found(find(text, given, true))]],
  ['count', [['sub'], count]],
  ['join', [['iterable'], join]],
  ['partition', [['sep'], (text, given) => partition(text, given, false)]],
  ['rpartition', [['sep'], (text, given) => partition(text, given, true)]],
  ['ljust', [['width', 'fillchar'], (text, given) => justify(text, given, 'start')]],
  ['rjust', [['width', 'fillchar'], (text, given) => justify(text, given, 'end')]],
  ['center', [['width', 'fillchar'], (text, given) => justify(text, given, 'middle')]],
  ['zfill', [['width'], zeroFill]],
  ['isdigit', [[], whole(/^\p{Nd}+$/u)]],
  ['isdecimal', [[], whole(/^\p{Nd}+$/u)]],
  ['isnumeric', [[], whole(/^\p{N}+$/u)]],
  ['isalpha', [[], whole(/^\p{L}+$/u)]],
  ['isalnum', [[], whole(/^[\p{L}\p{N}]+$/u)]],
  ['isidentifier', [[], whole(/^[\p{L}_][\p{L}\p{N}_]*$/u)]],
  ['isascii', [[], (text, given) => !/[^\0-\x7f]/.test(plain(given.context, text))]],
  ['isspace', [[], (text) => text !== '' && isBlank(text)]],
  ['isupper', [[], (text) => text === text.toUpperCase() && text !== text.toLowerCase()]],
  ['islower', [[], (text) => text === text.toLowerCase() && text !== text.toUpperCase()]],
  ['istitle', [[], (text) => /\p{L}/u.test(text) && text === titleText(text)]],
]);

/** A method of a text, ready to be called; nothing when `str` has none of that name. */
export function stringMethod(context: RenderContext, text: string, name: string): Callable | undefined {
  if (name === 'format') return new Callable(name, (given) => formatFields(context, text, given));
  const entry = methods.get(name);
  if (entry === undefined) return undefined;
  const [parameters, method] = entry;
  return new Callable(name, (given) => {
    context.makeText(text.length);
    return method(text, new ArgumentReader(context, name, given, parameters));
  });
}

function whole(pattern: RegExp): Method {
  return (text, given) => pattern.test(plain(given.context, text));
}

function swapCase(letter: string): string {
  return letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
}

function strip(text: string, given: ArgumentReader, sides: 'both' | 'start' | 'end'): string {
  return stripText(given.context, text, sides, given.optionalText('chars'));
}

function split(text: string, given: ArgumentReader, how: typeof splitText): Value {
  return how(given.context, text, given.optionalText('sep'), given.integer('maxsplit', -1));
}

function replace(text: string, given: ArgumentReader): Value {
  return replaceText(given.context, text, given.text('old'), given.text('new'), given.integer('count', -1));
}

/** The part of a text between the code points `start` and `end`. */
function window(text: string, given: ArgumentReader): string {
  const visible = plain(given.context, text);
  if (!given.has('start')) return visible;
  const characters = textCharacters(given.context, visible);
  return characters.slice(given.integer('start', 0), given.integer('end', characters.length)).join('');
}

function matchesEdge(text: string, given: ArgumentReader, parameter: 'prefix' | 'suffix'): boolean {
  const searched = given.value(parameter);
  const options = searched instanceof Tuple ? searched.items : [searched];
  const visible = window(text, given);
  return options.some((option) => {
    if (typeof option !== 'string') {
      throw new TemplateRuntimeError(
        `${parameter === 'prefix' ? 'startswith' : 'endswith'} first arg must be str or a tuple of str, not ${typeName(option)}`,
      );
    }
    const wanted = plain(given.context, option);
    return parameter === 'prefix' ? visible.startsWith(wanted) : visible.endsWith(wanted);
  });
}

function removeEdge(text: string, given: ArgumentReader, parameter: 'prefix' | 'suffix'): string {
  const edge = plain(given.context, given.text(parameter));
  if (edge === '' || !matchesEdge(text, given, parameter)) return text;
  const { length } = plain(given.context, text);
  return parameter === 'prefix'
    ? sliceVisible(given.context, text, edge.length, length)
    : sliceVisible(given.context, text, 0, length - edge.length);
}

function find(text: string, given: ArgumentReader, fromEnd: boolean): number {
  const { context } = given;
  const visible = window(text, given);
  const part = plain(context, given.text('sub'));
  const index = fromEnd ? visible.lastIndexOf(part) : visible.indexOf(part);
  if (index < 0) return -1;
  const offset = given.integer('start', 0);
  const before = offset < 0 ? Math.max(0, textLength(context, text) + offset) : offset;
  return before + textLength(context, visible.slice(0, index));
}

function found(index: number): number {
  if (index < 0) throw new TemplateRuntimeError('substring not found');
  return index;
}

function count(text: string, given: ArgumentReader): number {
  const part = plain(given.context, given.text('sub'));
  if (part === '') return textLength(given.context, text) + 1;
  return occurrences(given.context, text, part).length;
}

function join(separator: string, given: ArgumentReader): string {
  const { context } = given;
  const parts = iterate(context, given.value('iterable')).map((item, index) => {
    if (typeof item === 'string') return item;
    throw new TemplateRuntimeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
  });
  context.makeText(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return parts.join(separator);
}

function partition(text: string, given: ArgumentReader, fromEnd: boolean): Value {
  const separator = given.text('sep');
  const places = occurrences(given.context, text, separator);
  const place = fromEnd ? places.at(-1) : places[0];
  if (place === undefined) return new Tuple(fromEnd ? ['', '', text] : [text, '', '']);
  return new Tuple([text.slice(0, place[0]), separator, text.slice(place[1])]);
}

function justify(text: string, given: ArgumentReader, side: 'start' | 'middle' | 'end'): string {
  const width = given.integer('width', 0);
  given.context.makeText(Math.max(width, text.length));
  const missing = Math.max(0, width - textLength(given.context, text));
  const fill = given.optionalText('fillchar') ?? ' ';
  if (fill.length !== 1)
    throw new TemplateRuntimeError('The fill character must be exactly one character long');
  if (side === 'start') return text + fill.repeat(missing);
  if (side === 'end') return fill.repeat(missing) + text;
  // CPython's rounding of an odd rest.
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

function zeroFill(text: string, given: ArgumentReader): string {
  const width = given.integer('width', 0);
  given.context.makeText(Math.max(width, text.length));
  const missing = Math.max(0, width - textLength(given.context, text));
  const sign = /^[-+]/.test(text) ? 1 : 0;
  return text.slice(0, sign) + '0'.repeat(missing) + text.slice(sign);
}
