import { RivuletError } from '../../errors.ts';
import { grammarLimits } from '../grammar-limits.ts';
import { lastCodePoint } from '../grammar.ts';
import { subsetMachine } from './subset-machine.ts';
import type { Pattern, PatternNode } from './pattern-node.ts';

/** A deterministic automaton over code points; it begins in state 0, and missing edges lead nowhere. */
export interface TextMachine {
  readonly states: readonly {
    /** Apart, by rising `first`. */
    readonly edges: readonly { readonly first: number; readonly last: number; readonly target: number }[];
    readonly final: boolean;
  }[];
}

const everything: PatternNode = {
  kind: 'repeat',
  item: { kind: 'characters', ranges: [[0, lastCodePoint]] },
  minimum: 0,
  maximum: Infinity,
};

/**
 * The texts in which a pattern is found, or that it matches as a whole.
 * @throws {RivuletError} `GRAMMAR_TOO_LARGE` for a pattern that needs too many states
 */
export function patternMachine(pattern: Pattern, whole: boolean): TextMachine {
  const found = (node: PatternNode): TextMachine =>
    subsetMachine(whole ? node : { kind: 'sequence', items: [everything, node, everything] });
  const start = (node: PatternNode): TextMachine =>
    subsetMachine({ kind: 'sequence', items: [node, everything] });
  return pattern.lookaheads.reduce((machine, { node, negative }) => {
    const ahead = start(node);
    return intersect(machine, negative ? complement(ahead) : ahead);
  }, found(pattern.node));
}

/** The texts of a list. */
export function listMachine(texts: readonly string[]): TextMachine {
  return subsetMachine({
    kind: 'choice',
    items: texts.map((text) => ({
      kind: 'sequence',
      items: Array.from(text, (character) => {
        const codePoint = character.codePointAt(0)!;
        return { kind: 'characters', ranges: [[codePoint, codePoint]] } as const;
      }),
    })),
  });
}

/** Texts of so many code points. */
export function lengthMachine(minimum: number, maximum: number): TextMachine {
  const top = Number.isFinite(maximum) ? maximum : minimum;
  if (top > grammarLimits.patternStates) throw tooComplex();
  return {
    states: Array.from({ length: top + 1 }, (_, length) => ({
      final: length >= minimum,
      edges:
        length < top
          ? [{ first: 0, last: lastCodePoint, target: length + 1 }]
          : Number.isFinite(maximum)
            ? []
            : [{ first: 0, last: lastCodePoint, target: length }],
    })),
  };
}

/** Texts that both machines read. @throws {RivuletError} `GRAMMAR_TOO_LARGE` */
export function intersect(left: TextMachine, right: TextMachine): TextMachine {
  const states: { edges: { first: number; last: number; target: number }[]; final: boolean }[] = [];
  const numbers = new Map<number, number>();
  const pairs: (readonly [number, number])[] = [];
  const numberOf = (a: number, b: number): number => {
    const key = a * right.states.length + b;
    let number = numbers.get(key);
    if (number === undefined) {
      if (pairs.length >= grammarLimits.patternStates) throw tooComplex();
      number = pairs.push([a, b]) - 1;
      numbers.set(key, number);
    }
    return number;
  };
  numberOf(0, 0);
  for (const [a, b] of pairs) {
    const from = left.states[a]!;
    const to = right.states[b]!;
    const edges: { first: number; last: number; target: number }[] = [];
    for (const one of from.edges) {
      for (const other of to.edges) {
        const first = Math.max(one.first, other.first);
        const last = Math.min(one.last, other.last);
        if (first <= last) edges.push({ first, last, target: numberOf(one.target, other.target) });
      }
    }
    edges.sort((x, y) => x.first - y.first);
    states.push({ edges, final: from.final && to.final });
  }
  return { states };
}

/** Texts that a machine does not read. */
export function complement(machine: TextMachine): TextMachine {
  const sink = machine.states.length;
  const states = machine.states.map(({ edges, final }) => {
    const complete: { first: number; last: number; target: number }[] = [];
    let next = 0;
    for (const edge of edges) {
      if (edge.first > next) complete.push({ first: next, last: edge.first - 1, target: sink });
      complete.push(edge);
      next = edge.last + 1;
    }
    if (next <= lastCodePoint) complete.push({ first: next, last: lastCodePoint, target: sink });
    return { edges: complete, final: !final };
  });
  return {
    states: [...states, { edges: [{ first: 0, last: lastCodePoint, target: sink }], final: true }],
  };
}

/** Whether a machine reads no text at all. */
export function readsNothing({ states }: TextMachine): boolean {
  const reached = new Set([0]);
  for (const at of reached) {
    if (states[at]!.final) return false;
    for (const { target } of states[at]!.edges) reached.add(target);
  }
  return true;
}

export function tooComplex(): RivuletError {
  return new RivuletError(
    'GRAMMAR_TOO_LARGE',
    `Expected patterns that need at most ${grammarLimits.patternStates} states, found more. Use smaller bounds of repetitions, or fewer patterns at once.`,
    { details: { limit: grammarLimits.patternStates } },
  );
}
