import { undefinedError } from './attributes.ts';
import { compareValues, contains, isEqual } from './compare-values.ts';
import { plain } from './marked-text.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asNumber, asSequence, Callable, Float, Undefined } from './values.ts';
import type { Value } from './values.ts';

type Test = (context: RenderContext, value: Value, argument: Value) => boolean;

const isEqualTo: Test = (context, value, argument) => isEqual(context, value, argument);
const isLess: Test = (context, value, argument) => compareValues(context, value, argument) < 0;
const isGreater: Test = (context, value, argument) => compareValues(context, value, argument) > 0;

/** Jinja2's tests (its tests.py), without those for its own environment. */
const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['defined', (_context, value) => !(value instanceof Undefined)],
  ['undefined', (_context, value) => value instanceof Undefined],
  ['none', (_context, value) => value === null],
  ['boolean', (_context, value) => typeof value === 'boolean'],
  ['true', (_context, value) => value === true],
  ['false', (_context, value) => value === false],
  ['integer', (_context, value) => typeof value === 'number'],
  ['float', (_context, value) => value instanceof Float],
  ['number', (_context, value) => asNumber(value) !== undefined],
  ['string', (_context, value) => typeof value === 'string'],
  ['mapping', (_context, value) => value instanceof Map],
  ['sequence', (_context, value) => isIterable(value)],
  ['iterable', (_context, value) => isIterable(value)],
  ['callable', (_context, value) => value instanceof Callable],
  ['sameas', (_context, value, argument) => value === argument],
  ['escaped', () => false],
  ['odd', (_context, value) => remainder(value, 2) === 1],
  ['even', (_context, value) => remainder(value, 2) === 0],
  ['divisibleby', (_context, value, argument) => remainder(value, asNumber(argument) ?? 0) === 0],
  ['lower', (context, value) => hasCase(toText(context, value), 'lower')],
  ['upper', (context, value) => hasCase(toText(context, value), 'upper')],
  ['in', (context, value, argument) => contains(context, argument, value)],
  ['eq', isEqualTo],
  ['equalto', isEqualTo],
  ['==', isEqualTo],
  ['ne', (context, value, argument) => !isEqual(context, value, argument)],
  ['!=', (context, value, argument) => !isEqual(context, value, argument)],
  ['lt', isLess],
  ['lessthan', isLess],
  ['<', isLess],
  ['gt', isGreater],
  ['greaterthan', isGreater],
  ['>', isGreater],
  ['le', (context, value, argument) => !isGreater(context, value, argument)],
  ['<=', (context, value, argument) => !isGreater(context, value, argument)],
  ['ge', (context, value, argument) => !isLess(context, value, argument)],
  ['>=', (context, value, argument) => !isLess(context, value, argument)],
]);

const withoutArgument: ReadonlySet<string> = new Set(['defined', 'undefined', 'escaped']);

/** `value is name(argument)`. @throws {TemplateRuntimeError} */
export function applyTest(
  context: RenderContext,
  name: string,
  value: Value,
  given: readonly Value[],
): boolean {
  const test = tests.get(plain(context, name));
  if (test === undefined) throw new TemplateRuntimeError(`No test named '${name}'.`);
  context.spend();
  if (withoutArgument.has(name)) return test(context, value, null);
  return test(context, value, given[0] ?? null);
}

function isIterable(value: Value): boolean {
  if (typeof value === 'string' || value instanceof Map || value instanceof Undefined) return true;
  return asSequence(value) !== undefined;
}

function remainder(value: Value, divisor: number): number {
  if (value instanceof Undefined) throw undefinedError(value);
  const number = asNumber(value);
  if (number === undefined || divisor === 0) throw new TemplateRuntimeError('a number was expected');
  return number - divisor * Math.floor(number / divisor);
}

function hasCase(text: string, wanted: 'lower' | 'upper'): boolean {
  const lower = text.toLowerCase();
  const upper = text.toUpperCase();
  return lower !== upper && text === (wanted === 'lower' ? lower : upper);
}
