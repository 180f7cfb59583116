import { characters, choice, empty, nothing, optional, repeat, sequence, text } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';

export interface NumberBounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly excludesMinimum: boolean;
  readonly excludesMaximum: boolean;
}

/** A non-negative decimal number. */
interface Decimal {
  readonly whole: bigint;
  /** Digits behind the point, without zeros at the end. */
  readonly fraction: string;
}

const digits = repeat(digit(0, 9), 0);
/** Digits of which one at least is not zero. */
const notZero = sequence(digits, digit(1, 9), digits);
const zeros = repeat(text('0'), 0);

/** Numbers without exponent between bounds; `wholeOnly` = integers. */
export function numberInRange(bounds: NumberBounds, wholeOnly: boolean): GrammarNode {
  const { minimum, maximum, excludesMinimum, excludesMaximum } = bounds;
  const items: GrammarNode[] = [];
  const hasNegative = minimum < 0;
  const hasPositive = maximum > 0 || (maximum === 0 && !excludesMaximum);
  if (hasNegative) {
    const low = maximum < 0 ? -maximum : 0;
    const excludesLow = maximum < 0 ? excludesMaximum : true;
    items.push(sequence(text('-'), between(low, -minimum, excludesLow, excludesMinimum, wholeOnly)));
  }
  if (hasPositive) {
    const low = minimum > 0 ? minimum : 0;
    items.push(between(low, maximum, minimum >= 0 && excludesMinimum, excludesMaximum, wholeOnly));
  }
  return choice(...items);
}

/** Both at least 0; the upper one may be Infinity. */
function between(
  low: number,
  high: number,
  excludesLow: boolean,
  excludesHigh: boolean,
  wholeOnly: boolean,
): GrammarNode {
  const from = decimal(low);
  const to = Number.isFinite(high) ? decimal(high) : undefined;
  if (wholeOnly) {
    const first = from.fraction !== '' || excludesLow ? from.whole + 1n : from.whole;
    if (to === undefined) return integersFrom(first);
    const last = to.fraction === '' && excludesHigh ? to.whole - 1n : to.whole;
    return integersBetween(first, last);
  }
  if (to !== undefined && from.whole === to.whole) {
    return sequence(
      text(String(from.whole)),
      fractionsBetween(from.fraction, to.fraction, !excludesLow, !excludesHigh),
    );
  }
  const items = [sequence(text(String(from.whole)), fractionsFrom(from.fraction, !excludesLow))];
  const anyFraction = optional(sequence(text('.'), repeat(digit(0, 9), 1)));
  const inside =
    to === undefined ? integersFrom(from.whole + 1n) : integersBetween(from.whole + 1n, to.whole - 1n);
  items.push(sequence(inside, anyFraction));
  if (to !== undefined) {
    items.push(sequence(text(String(to.whole)), fractionsTo(to.fraction, !excludesHigh)));
  }
  return choice(...items);
}

/** What may stand behind the whole part so that the fraction is at least the given one. */
function fractionsFrom(fraction: string, including: boolean): GrammarNode {
  if (fraction === '' && including) return optional(sequence(text('.'), repeat(digit(0, 9), 1)));
  return sequence(text('.'), digitsFrom(fraction, including));
}

function digitsFrom(rest: string, including: boolean): GrammarNode {
  if (rest === '') return including ? digits : notZero;
  const first = Number(rest[0]);
  return choice(
    ...(first < 9 ? [sequence(digit(first + 1, 9), digits)] : []),
    sequence(text(rest[0]!), digitsFrom(rest.slice(1), including)),
  );
}

function fractionsTo(fraction: string, including: boolean): GrammarNode {
  const isZero = fraction === '';
  if (isZero) return including ? optional(sequence(text('.'), repeat(text('0'), 1))) : nothing;
  // At least one digit stands behind a point; without a point the fraction is 0, which is less.
  return optional(sequence(text('.'), firstDigitTo(fraction, including)));
}

function firstDigitTo(rest: string, including: boolean): GrammarNode {
  const first = Number(rest[0]);
  return choice(
    ...(first > 0 ? [sequence(digit(0, first - 1), digits)] : []),
    sequence(text(rest[0]!), digitsTo(rest.slice(1), including)),
  );
}

function digitsTo(rest: string, including: boolean): GrammarNode {
  if (rest === '') return including ? zeros : nothing;
  return choice(empty, firstDigitTo(rest, including));
}

function fractionsBetween(
  low: string,
  high: string,
  includingLow: boolean,
  includingHigh: boolean,
): GrammarNode {
  if (low === high) {
    if (!includingLow || !includingHigh) return nothing;
    return low === ''
      ? optional(sequence(text('.'), repeat(text('0'), 1)))
      : sequence(text(`.${low}`), zeros);
  }
  const isZeroAllowed = low === '' && includingLow;
  const node = sequence(text('.'), digitsBetween(low, high, includingLow, includingHigh, true));
  return isZeroAllowed ? optional(node) : node;
}

function digitsBetween(
  low: string,
  high: string,
  includingLow: boolean,
  includingHigh: boolean,
  isFirst: boolean,
): GrammarNode {
  const lowDigit = Number(low[0] ?? '0');
  const highDigit = Number(high[0] ?? '0');
  const lowRest = low.slice(1);
  const highRest = high.slice(1);
  const items: GrammarNode[] = [];
  if (!isFirst && low === '' && includingLow) items.push(empty);
  if (lowDigit === highDigit) {
    if (low !== '' || high !== '') {
      items.push(
        sequence(
          text(String(lowDigit)),
          digitsBetween(lowRest, highRest, includingLow, includingHigh, false),
        ),
      );
    }
    return choice(...items);
  }
  if (highDigit - lowDigit > 1) items.push(sequence(digit(lowDigit + 1, highDigit - 1), digits));
  items.push(sequence(text(String(lowDigit)), digitsFrom(lowRest, includingLow)));
  items.push(sequence(text(String(highDigit)), digitsTo(highRest, includingHigh)));
  return choice(...items);
}

function integersFrom(low: bigint): GrammarNode {
  if (low <= 0n) return choice(text('0'), sequence(digit(1, 9), digits));
  const written = String(low);
  const top = 10n ** BigInt(written.length) - 1n;
  return choice(integersBetween(low, top), sequence(digit(1, 9), repeat(digit(0, 9), written.length)));
}

function integersBetween(low: bigint, high: bigint): GrammarNode {
  const first = low < 0n ? 0n : low;
  if (first > high) return nothing;
  const items: GrammarNode[] = [];
  for (let length = String(first).length; length <= String(high).length; length += 1) {
    const least = length === 1 ? 0n : 10n ** BigInt(length - 1);
    const most = 10n ** BigInt(length) - 1n;
    const from = first > least ? first : least;
    const to = high < most ? high : most;
    items.push(sameLength(String(from), String(to)));
  }
  return choice(...items);
}

function sameLength(low: string, high: string): GrammarNode {
  if (low === '') return empty;
  const from = Number(low[0]);
  const to = Number(high[0]);
  const rest = low.length - 1;
  const anyRest = repeat(digit(0, 9), rest, rest);
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) return sequence(digit(from, to), anyRest);
  if (from === to) return sequence(text(low[0]!), sameLength(low.slice(1), high.slice(1)));
  return choice(
    sequence(text(low[0]!), sameLength(low.slice(1), '9'.repeat(rest))),
    ...(to - from > 1 ? [sequence(digit(from + 1, to - 1), anyRest)] : []),
    sequence(text(high[0]!), sameLength('0'.repeat(rest), high.slice(1))),
  );
}

function digit(from: number, to: number): GrammarNode {
  return from === to ? text(String(from)) : characters([[0x30 + from, 0x30 + to]]);
}

/** Exact for what JavaScript writes of a number. */
function decimal(value: number): Decimal {
  const [mantissa = '0', exponentText = '0'] = String(value).split('e');
  const exponent = Number(exponentText);
  const [whole = '0', behind = ''] = mantissa.split('.');
  const all = whole + behind;
  const point = whole.length + exponent;
  const padded = point <= 0 ? '0'.repeat(1 - point) + all : all.padEnd(point, '0');
  const at = point <= 0 ? 1 : point;
  return { whole: BigInt(padded.slice(0, at)), fraction: padded.slice(at).replace(/0+$/, '') };
}
