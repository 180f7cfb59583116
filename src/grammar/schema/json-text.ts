import {
  characters,
  choice,
  empty,
  intersectRanges,
  invertRanges,
  optional,
  repeat,
  rule,
  sequence,
  text,
} from '../grammar.ts';
import type { CodePointRanges, GrammarNode } from '../grammar.ts';
import type { TextMachine } from '../pattern/text-machine.ts';

/** How JSON is written: the rules that all schemas share. */

/** Characters that stand in a JSON string as they are. */
const plain: CodePointRanges = invertRanges([
  [0x00, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
const hexadecimal: CodePointRanges = [
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
];
const digit: CodePointRanges = [[0x30, 0x39]];

const shortEscapes: readonly (readonly [codePoint: number, written: string])[] = [
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
];

const hex = characters(hexadecimal);

/** Any escape for one character; a pair of surrogates is one. */
const escape: GrammarNode = sequence(
  text('\\'),
  choice(
    characters([0x22, 0x2f, 0x5c, 0x62, 0x66, 0x6e, 0x72, 0x74].map((each) => [each, each] as const)),
    sequence(
      text('u'),
      characters([
        [0x30, 0x39],
        [0x41, 0x43],
        [0x61, 0x63],
        [0x45, 0x46],
        [0x65, 0x66],
      ]),
      repeat(hex, 3, 3),
    ),
    sequence(
      text('u'),
      characters([
        [0x44, 0x44],
        [0x64, 0x64],
      ]),
      characters([[0x30, 0x37]]),
      repeat(hex, 2, 2),
    ),
    sequence(
      text('u'),
      characters([
        [0x44, 0x44],
        [0x64, 0x64],
      ]),
      characters([
        [0x38, 0x39],
        [0x41, 0x42],
        [0x61, 0x62],
      ]),
      repeat(hex, 2, 2),
      text('\\u'),
      characters([
        [0x44, 0x44],
        [0x64, 0x64],
      ]),
      characters([
        [0x43, 0x46],
        [0x63, 0x66],
      ]),
      repeat(hex, 2, 2),
    ),
  ),
);

/** A JSON string of so many characters. */
export function stringOfLength(minimum: number, maximum: number): GrammarNode {
  const item = choice(characters(plain), escape);
  return sequence(text('"'), { kind: 'repeat', item, minimum, maximum, isCounted: true }, text('"'));
}

/** The texts of a machine as JSON strings, written as `JSON.stringify` does. */
export function stringOfMachine(machine: TextMachine): GrammarNode {
  return sequence(
    text('"'),
    {
      kind: 'machine',
      states: machine.states.map(({ edges, final }) => ({
        final,
        edges: edges.map(({ first, last, target }) => ({ node: writtenCharacters(first, last), target })),
      })),
    },
    text('"'),
  );
}

function writtenCharacters(first: number, last: number): GrammarNode {
  const items: GrammarNode[] = [];
  const ranges = intersectRanges([[first, last]], plain);
  if (ranges.length > 0) items.push(characters(ranges));
  const isIn = (codePoint: number): boolean => codePoint >= first && codePoint <= last;
  for (const [codePoint, written] of shortEscapes) if (isIn(codePoint)) items.push(text(written));
  for (let codePoint = first; codePoint < 0x20 && codePoint <= last; codePoint += 1) {
    if (shortEscapes.some(([known]) => known === codePoint)) continue;
    items.push(text(`\\u${codePoint.toString(16).padStart(4, '0')}`));
  }
  return choice(...items);
}

/** Indentation of a line, in characters; models that begin to write spaces do not always stop. */
const maximumIndentation = 40;
/** Digits of a number without bounds. */
const maximumDigits = 40;

export const space: GrammarNode = rule('space');
/** Between a key and its value. */
export const colon: GrammarNode = sequence(text(':'), optional(text(' ')));
/** Between two members or elements. */
export const comma: GrammarNode = sequence(text(','), space);

export const wholeNumber: GrammarNode = choice(
  text('0'),
  sequence(characters([[0x31, 0x39]]), repeat(characters(digit), 0, maximumDigits)),
);
export const integerText: GrammarNode = sequence(optional(text('-')), wholeNumber);
export const fraction: GrammarNode = sequence(text('.'), repeat(characters(digit), 1, maximumDigits));
const exponent: GrammarNode = sequence(
  characters([
    [0x45, 0x45],
    [0x65, 0x65],
  ]),
  optional(
    characters([
      [0x2b, 0x2b],
      [0x2d, 0x2d],
    ]),
  ),
  repeat(characters(digit), 1, 2),
);
export const numberText: GrammarNode = sequence(integerText, optional(fraction), optional(exponent));

/** Rules that the ones made from schemas refer to. */
export const jsonRules: readonly (readonly [name: string, node: GrammarNode])[] = [
  [
    'space',
    choice(
      empty,
      text(' '),
      sequence(
        text('\n'),
        repeat(
          characters([
            [0x09, 0x09],
            [0x20, 0x20],
          ]),
          0,
          maximumIndentation,
        ),
      ),
    ),
  ],
  ['string', stringOfLength(0, Infinity)],
  ['number', numberText],
  ['integer', integerText],
  [
    'value',
    choice(
      rule('object'),
      rule('array'),
      rule('string'),
      rule('number'),
      text('true'),
      text('false'),
      text('null'),
    ),
  ],
  ['object', listOf('{', sequence(rule('string'), colon, rule('value')), '}')],
  ['array', listOf('[', rule('value'), ']')],
];

function listOf(open: string, item: GrammarNode, close: string): GrammarNode {
  return sequence(
    text(open),
    space,
    optional(sequence(item, repeat(sequence(comma, item), 0), space)),
    text(close),
  );
}

/** A value as it may be written, with the white space of {@link space}. */
export function literal(value: unknown): GrammarNode {
  if (Array.isArray(value)) {
    return value.length === 0
      ? sequence(text('['), space, text(']'))
      : sequence(text('['), space, ...separated(value.map(literal)), space, text(']'));
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) =>
      sequence(text(JSON.stringify(key)), colon, literal(member)),
    );
    return members.length === 0
      ? sequence(text('{'), space, text('}'))
      : sequence(text('{'), space, ...separated(members), space, text('}'));
  }
  return text(JSON.stringify(value));
}

function separated(items: readonly GrammarNode[]): GrammarNode[] {
  return items.flatMap((item, index) => (index === 0 ? [item] : [comma, item]));
}
