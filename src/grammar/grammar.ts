/** Inclusive ranges of Unicode code points, ascending and apart. */
export type CodePointRanges = readonly (readonly [first: number, last: number])[];

/** A part of a grammar: which texts may stand at a place. */
export type GrammarNode =
  | { readonly kind: 'text'; readonly text: string }
  /** One character out of the ranges; none when there are no ranges. */
  | { readonly kind: 'characters'; readonly ranges: CodePointRanges }
  | { readonly kind: 'sequence'; readonly items: readonly GrammarNode[] }
  /** One of the items; nothing can match an empty choice. */
  | { readonly kind: 'choice'; readonly items: readonly GrammarNode[] }
  /** The item `minimum` to `maximum` times; `maximum` may be Infinity. */
  | {
      readonly kind: 'repeat';
      readonly item: GrammarNode;
      readonly minimum: number;
      readonly maximum: number;
      /**
       * Always a loop with a count, the only one of its rule and over single characters: all lengths then have one
       * form, and what masks one serves the others.
       */
      readonly isCounted?: true;
    }
  /** Any text in which none of the stops occurs, up to a place where one may begin. */
  | { readonly kind: 'until'; readonly stops: readonly string[] }
  /** A deterministic automaton whose edges are labelled with nodes; it begins in state 0. */
  | { readonly kind: 'machine'; readonly states: readonly MachineState[] }
  | { readonly kind: 'rule'; readonly name: string };

export interface MachineState {
  readonly edges: readonly { readonly node: GrammarNode; readonly target: number }[];
  readonly final: boolean;
}

/** Named rules, of which `root` describes a whole output. */
export type Grammar = ReadonlyMap<string, GrammarNode>;

/** The rule that describes a whole output. */
export const rootRule = 'root';

/** The last Unicode code point. */
export const lastCodePoint = 0x10ffff;

export const empty: GrammarNode = { kind: 'sequence', items: [] };
export const nothing: GrammarNode = { kind: 'choice', items: [] };

export function text(value: string): GrammarNode {
  return { kind: 'text', text: value };
}

export function characters(ranges: CodePointRanges): GrammarNode {
  return { kind: 'characters', ranges };
}

/** One after the other; neighbouring texts become one. */
export function sequence(...items: readonly GrammarNode[]): GrammarNode {
  const flat: GrammarNode[] = [];
  for (const item of items.flatMap((each) => (each.kind === 'sequence' ? each.items : [each]))) {
    const last = flat.at(-1);
    if (item.kind === 'text' && last?.kind === 'text') flat[flat.length - 1] = text(last.text + item.text);
    else if (item.kind !== 'text' || item.text !== '') flat.push(item);
  }
  return flat.length === 1 ? flat[0]! : { kind: 'sequence', items: flat };
}

export function choice(...items: readonly GrammarNode[]): GrammarNode {
  const flat = items.flatMap((item) => (item.kind === 'choice' ? item.items : [item]));
  return flat.length === 1 ? flat[0]! : { kind: 'choice', items: flat };
}

export function repeat(item: GrammarNode, minimum: number, maximum: number = Infinity): GrammarNode {
  if (maximum === 0) return empty;
  return minimum === 1 && maximum === 1 ? item : { kind: 'repeat', item, minimum, maximum };
}

export function optional(item: GrammarNode): GrammarNode {
  return repeat(item, 0, 1);
}

export function rule(name: string): GrammarNode {
  return { kind: 'rule', name };
}

/** Ranges in the canonical form of {@link CodePointRanges}. */
export function normalizeRanges(ranges: CodePointRanges): CodePointRanges {
  const result: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((left, right) => left[0] - right[0])) {
    const previous = result.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else if (first <= last) result.push([first, last]);
  }
  return result;
}

/** All code points that are not in the ranges. */
export function invertRanges(ranges: CodePointRanges): CodePointRanges {
  const result: [number, number][] = [];
  let next = 0;
  for (const [first, last] of normalizeRanges(ranges)) {
    if (first > next) result.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= lastCodePoint) result.push([next, lastCodePoint]);
  return result;
}

/** Code points that are in both. */
export function intersectRanges(left: CodePointRanges, right: CodePointRanges): CodePointRanges {
  return invertRanges([...invertRanges(left), ...invertRanges(right)]);
}
