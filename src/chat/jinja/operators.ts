import { undefinedError } from './attributes.ts';
import { compareValues, contains, isEqual } from './compare-values.ts';
import { escapeText } from './escape-text.ts';
import { formatPercent } from './format-text.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asNumber, asSequence, Float, Markup, Tuple, typeName, Undefined, withoutMarkup } from './values.ts';
import type { Value } from './values.ts';

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=', 'in', 'not in']);

/** Operators that Python chains: `a < b < c`. */
export function isComparison(operator: string): boolean {
  return comparisons.has(operator);
}

/** Every operator that evaluates both sides. @throws {TemplateRuntimeError} */
export function operate(context: RenderContext, operator: string, left: Value, right: Value): Value {
  const isMarkup = left instanceof Markup || right instanceof Markup;
  if (isMarkup && operator === '+') return addMarkup(context, left, right);
  return operatePlain(context, operator, withoutMarkup(left), withoutMarkup(right));
}

/** Markup escapes the plain text that it is added to. */
function addMarkup(context: RenderContext, left: Value, right: Value): Value {
  const [before, after] = [left, right].map((side) => {
    if (side instanceof Markup) return side.text;
    return typeof side === 'string' ? escapeText(context, side) : undefined;
  });
  if (before === undefined || after === undefined) {
    return operatePlain(context, '+', withoutMarkup(left), withoutMarkup(right));
  }
  return new Markup(concatenate(context, before, after));
}

function operatePlain(context: RenderContext, operator: string, left: Value, right: Value): Value {
  switch (operator) {
    case '==':
      return isEqual(context, left, right);
    case '!=':
      return !isEqual(context, left, right);
    case 'in':
      return contains(context, right, left);
    case 'not in':
      return !contains(context, right, left);
    case '~':
      return concatenate(context, toText(context, left), toText(context, right));
    default:
  }
  for (const side of [left, right]) if (side instanceof Undefined) throw undefinedError(side);
  if (isComparison(operator)) return compare(context, operator, left, right);
  return calculate(context, operator, left, right);
}

function compare(context: RenderContext, operator: string, left: Value, right: Value): boolean {
  const order = compareValues(context, left, right, operator);
  if (operator === '<') return order < 0;
  if (operator === '>') return order > 0;
  return operator === '<=' ? order <= 0 : order >= 0;
}

function calculate(context: RenderContext, operator: string, left: Value, right: Value): Value {
  const leftNumber = asNumber(left);
  const rightNumber = asNumber(right);
  if (leftNumber !== undefined && rightNumber !== undefined) {
    const isFloat = left instanceof Float || right instanceof Float;
    return calculateNumbers(operator, leftNumber, rightNumber, isFloat);
  }
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return concatenate(context, left, right);
    const joined = addSequences(context, left, right);
    if (joined !== undefined) return joined;
    if (typeof left === 'string') {
      throw new TemplateRuntimeError(
        `can only concatenate str (not "${typeName(right)}") to str; the template expects a string here`,
      );
    }
  }
  if (operator === '%' && typeof left === 'string') return formatPercent(context, left, right);
  if (operator === '*') {
    const repeated = leftNumber === undefined ? repeat(context, left, right) : repeat(context, right, left);
    if (repeated !== undefined) return repeated;
  }
  throw new TemplateRuntimeError(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

function calculateNumbers(operator: string, left: number, right: number, isFloat: boolean): Value {
  const number = (value: number): Value => (isFloat ? new Float(value) : value);
  if ((operator === '/' || operator === '//' || operator === '%') && right === 0) {
    throw new TemplateRuntimeError('division by zero');
  }
  switch (operator) {
    case '+':
      return number(left + right);
    case '-':
      return number(left - right);
    case '*':
      return number(left * right);
    case '/':
      return new Float(left / right);
    case '//':
      return number(Math.floor(left / right));
    case '%':
      // Python's remainder has the sign of the divisor.
      return number(left - right * Math.floor(left / right));
    case '**': {
      const power = left ** right;
      if (!Number.isFinite(power)) throw new TemplateRuntimeError('Result too large');
      return isFloat || right < 0 ? new Float(power) : power;
    }
    default:
      throw new TemplateRuntimeError(`unknown operator ${operator}`);
  }
}

function concatenate(context: RenderContext, left: string, right: string): string {
  context.makeText(left.length + right.length);
  return left + right;
}

function addSequences(context: RenderContext, left: Value, right: Value): Value | undefined {
  const leftItems = asSequence(left);
  const rightItems = asSequence(right);
  if (leftItems === undefined || rightItems === undefined) return undefined;
  if (left instanceof Tuple !== right instanceof Tuple) return undefined;
  context.makeList(leftItems.length + rightItems.length);
  const items = [...leftItems, ...rightItems];
  return left instanceof Tuple ? new Tuple(items) : items;
}

function repeat(context: RenderContext, value: Value, count: Value): Value | undefined {
  const times = Math.max(0, asNumber(count) ?? Number.NaN);
  if (!Number.isInteger(times) || count instanceof Float) return undefined;
  if (typeof value === 'string') {
    context.makeText(value.length * times);
    return value.repeat(times);
  }
  const items = asSequence(value);
  if (items === undefined) return undefined;
  context.makeList(items.length * times);
  const repeated = Array.from({ length: times }, () => items).flat();
  return value instanceof Tuple ? new Tuple(repeated) : repeated;
}
