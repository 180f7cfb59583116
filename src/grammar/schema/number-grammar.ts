import { choice, optional, repeat, rule, sequence, text, characters } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { integerText } from './json-text.ts';
import { multipleMachine } from './multiple-machine.ts';
import { numberInRange } from './number-range.ts';
import type { NumberBounds } from './number-range.ts';
import type { Conjunction } from './schema-conjunction.ts';
import type { SchemaContext } from './schema-grammar.ts';

export function numberNode(
  conjunction: Conjunction,
  isInteger: boolean,
  context: SchemaContext,
): GrammarNode | undefined {
  const bounds = boundsOf(conjunction);
  if (
    bounds.minimum > bounds.maximum ||
    (bounds.minimum === bounds.maximum && (bounds.excludesMinimum || bounds.excludesMaximum))
  ) {
    return undefined;
  }
  const isBounded = bounds.minimum !== -Infinity || bounds.maximum !== Infinity;
  let wholeOnly = isInteger;
  let divisor = 1;
  let decimals: number | undefined;
  for (const schema of conjunction) {
    const multiple = schema['multipleOf'];
    if (typeof multiple !== 'number') continue;
    const places = decimalPlaces(multiple);
    if (Number.isInteger(multiple) && multiple <= largestDivisor) {
      wholeOnly = true;
      divisor = leastCommonMultiple(divisor, multiple);
    } else if (places !== undefined) decimals = Math.min(decimals ?? Infinity, places);
    else if (!(isInteger && Number.isInteger(1 / multiple))) context.complain(schema, 'multipleOf');
  }
  if (divisor > largestDivisor) {
    for (const schema of conjunction)
      if (schema['multipleOf'] !== undefined) context.complain(schema, 'multipleOf');
    divisor = 1;
  }
  if (wholeOnly) {
    if (divisor > 1) return multiples(bounds, divisor, conjunction, context);
    return isBounded ? context.share(numberInRange(bounds, true)) : rule('integer');
  }
  if (decimals !== undefined) {
    if (isBounded) complainOfBounds(conjunction, context);
    return sequence(
      integerText,
      optional(sequence(text('.'), repeat(characters([[0x30, 0x39]]), 1, decimals))),
    );
  }
  return isBounded ? context.share(numberInRange(bounds, false)) : rule('number');
}

/** An automaton with a state per remainder. */
const largestDivisor = 1000;

/** Between bounds that are near together multiples are listed. */
const listedMultiples = 1000;

function multiples(
  bounds: NumberBounds,
  divisor: number,
  conjunction: Conjunction,
  context: SchemaContext,
): GrammarNode | undefined {
  const first = Math.ceil(bounds.minimum / divisor);
  const last = Math.floor(bounds.maximum / divisor);
  if (last - first < listedMultiples) {
    const values: number[] = [];
    for (let factor = first; factor <= last; factor += 1) {
      const value = factor * divisor + 0;
      if (bounds.excludesMinimum && value === bounds.minimum) continue;
      if (bounds.excludesMaximum && value === bounds.maximum) continue;
      values.push(value);
    }
    return values.length === 0 ? undefined : choice(...values.map((value) => text(String(value))));
  }
  const negatives = sequence(text('-'), multipleMachine(divisor));
  if (bounds.maximum <= 0 && !(bounds.maximum === 0 && !bounds.excludesMaximum)) {
    complainOfBounds(conjunction, context);
    return negatives;
  }
  if (bounds.minimum > 0 || bounds.maximum !== Infinity) complainOfBounds(conjunction, context);
  if (bounds.minimum >= 0) return multipleMachine(divisor);
  if (bounds.minimum !== -Infinity) complainOfBounds(conjunction, context);
  return choice(multipleMachine(divisor), negatives);
}

function complainOfBounds(conjunction: Conjunction, context: SchemaContext): void {
  for (const schema of conjunction) {
    for (const key of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
      if (schema[key] !== undefined) context.complain(schema, key);
    }
  }
}

/** Draft 4 wrote whether a bound is excluded as a boolean beside it. */
function boundsOf(conjunction: Conjunction): NumberBounds {
  const bounds = {
    minimum: -Infinity,
    maximum: Infinity,
    excludesMinimum: false,
    excludesMaximum: false,
  };
  const atLeast = (value: unknown, excludes: boolean): void => {
    if (typeof value !== 'number' || value < bounds.minimum) return;
    bounds.excludesMinimum = value === bounds.minimum ? bounds.excludesMinimum || excludes : excludes;
    bounds.minimum = value;
  };
  const atMost = (value: unknown, excludes: boolean): void => {
    if (typeof value !== 'number' || value > bounds.maximum) return;
    bounds.excludesMaximum = value === bounds.maximum ? bounds.excludesMaximum || excludes : excludes;
    bounds.maximum = value;
  };
  for (const schema of conjunction) {
    atLeast(schema['minimum'], schema['exclusiveMinimum'] === true);
    atLeast(schema['exclusiveMinimum'], true);
    atMost(schema['maximum'], schema['exclusiveMaximum'] === true);
    atMost(schema['exclusiveMaximum'], true);
  }
  return bounds;
}

/** 0.01 has two; undefined for anything but 0.1, 0.01, … */
function decimalPlaces(multiple: number): number | undefined {
  for (let places = 1; places <= 15; places += 1) {
    if (multiple === Number(`1e-${places}`)) return places;
  }
  return undefined;
}

function leastCommonMultiple(left: number, right: number): number {
  let [a, b] = [left, right];
  while (b !== 0) [a, b] = [b, a % b];
  return (left / a) * right;
}
