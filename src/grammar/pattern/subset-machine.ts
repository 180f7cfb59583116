import { RivuletError } from '../../errors.ts';
import { grammarLimits } from '../grammar-limits.ts';
import type { PatternNode } from './pattern-node.ts';
import type { TextMachine } from './text-machine.ts';

interface Knot {
  readonly edges: { readonly first: number; readonly last: number; readonly target: number }[];
  readonly steps: number[];
  /** Steps that hold at the start or at the end of the text only. */
  readonly starts: number[];
  readonly ends: number[];
}

/** Expressions grow by their counted repetitions before they are made deterministic. */
const maximumKnots = 20 * grammarLimits.patternStates;

/** The texts that an expression matches as a whole. @throws {RivuletError} `GRAMMAR_TOO_LARGE` */
export function subsetMachine(node: PatternNode): TextMachine {
  const knots: Knot[] = [];
  const add = (): number => {
    if (knots.length >= maximumKnots) throw tooLarge();
    return knots.push({ edges: [], steps: [], starts: [], ends: [] }) - 1;
  };

  const build = (part: PatternNode, from: number): number => {
    switch (part.kind) {
      case 'characters': {
        const end = add();
        for (const [first, last] of part.ranges) knots[from]!.edges.push({ first, last, target: end });
        return end;
      }
      case 'sequence':
        return part.items.reduce((at, item) => build(item, at), from);
      case 'choice': {
        const end = add();
        for (const item of part.items) {
          const start = add();
          knots[from]!.steps.push(start);
          knots[build(item, start)]!.steps.push(end);
        }
        return end;
      }
      case 'repeat':
        return buildRepeat(part, from);
      case 'edge': {
        const end = add();
        (part.at === 'start' ? knots[from]!.starts : knots[from]!.ends).push(end);
        return end;
      }
    }
  };

  const buildRepeat = (part: PatternNode & { kind: 'repeat' }, from: number): number => {
    const { item, minimum, maximum } = part;
    let at = from;
    for (let count = 0; count < minimum; count += 1) at = build(item, at);
    const end = add();
    if (maximum === Infinity) {
      const head = add();
      knots[at]!.steps.push(head);
      const body = add();
      knots[head]!.steps.push(body, end);
      knots[build(item, body)]!.steps.push(head);
      return end;
    }
    for (let count = minimum; count < maximum; count += 1) {
      knots[at]!.steps.push(end);
      const start = add();
      knots[at]!.steps.push(start);
      at = build(item, start);
    }
    knots[at]!.steps.push(end);
    return end;
  };

  const start = add();
  const end = build(node, start);
  return determine(knots, start, end);
}

function determine(knots: readonly Knot[], start: number, end: number): TextMachine {
  const closure = (seeds: Iterable<number>, atStart: boolean, atEnd: boolean): number[] => {
    const reached = new Set(seeds);
    for (const at of reached) {
      const { steps, starts, ends } = knots[at]!;
      for (const step of steps) reached.add(step);
      if (atStart) for (const step of starts) reached.add(step);
      if (atEnd) for (const step of ends) reached.add(step);
    }
    return [...reached];
  };

  const states: { edges: { first: number; last: number; target: number }[]; final: boolean }[] = [];
  const numbers = new Map<string, number>();
  const sets: { readonly knots: readonly number[]; readonly final: boolean }[] = [];
  const numberOf = (seeds: Iterable<number>, atStart: boolean): number => {
    const set = closure(seeds, atStart, false).sort((left, right) => left - right);
    const final = closure(set, atStart, true).includes(end);
    const useful = set.filter((at) => knots[at]!.edges.length > 0);
    const key = `${useful.join()}${final ? '!' : ''}`;
    let number = numbers.get(key);
    if (number === undefined) {
      if (sets.length >= grammarLimits.patternStates) throw tooLarge();
      number = sets.push({ knots: useful, final }) - 1;
      numbers.set(key, number);
    }
    return number;
  };
  numberOf([start], true);
  for (const set of sets) {
    const all = set.knots.flatMap((at) => knots[at]!.edges);
    const cuts = [...new Set(all.flatMap(({ first, last }) => [first, last + 1]))].sort(
      (left, right) => left - right,
    );
    const edges: { first: number; last: number; target: number }[] = [];
    for (let index = 0; index + 1 < cuts.length; index += 1) {
      const first = cuts[index]!;
      const last = cuts[index + 1]! - 1;
      const targets = all.filter((edge) => edge.first <= first && edge.last >= last);
      if (targets.length === 0) continue;
      const target = numberOf(new Set(targets.map((edge) => edge.target)), false);
      const previous = edges.at(-1);
      if (previous !== undefined && previous.target === target && previous.last === first - 1) {
        previous.last = last;
      } else edges.push({ first, last, target });
    }
    states.push({ edges, final: set.final });
  }
  return { states };
}

function tooLarge(): RivuletError {
  return new RivuletError(
    'GRAMMAR_TOO_LARGE',
    `Expected a pattern that needs at most ${grammarLimits.patternStates} states, found one that needs more. Use smaller bounds of repetitions.`,
    { details: { limit: grammarLimits.patternStates } },
  );
}
