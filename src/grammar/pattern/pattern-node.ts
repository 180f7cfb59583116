import type { CodePointRanges } from '../grammar.ts';

/** A regular expression as a tree. */
export type PatternNode =
  | { readonly kind: 'characters'; readonly ranges: CodePointRanges }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly items: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: PatternNode;
      readonly minimum: number;
      readonly maximum: number;
    }
  /** Nothing, but only at this end of the text. */
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' };

/** A pattern and what else must hold at its beginning. */
export interface Pattern {
  readonly node: PatternNode;
  readonly lookaheads: readonly { readonly node: PatternNode; readonly negative: boolean }[];
}
