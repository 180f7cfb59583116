import { RivuletError } from '../errors.ts';
import { AutomatonBuilder } from './automaton-builder.ts';
import type { Position } from './automaton-builder.ts';
import { leastBytes } from './completion-cost.ts';
import { grammarLimits } from './grammar-limits.ts';
import { rootRule } from './grammar.ts';
import type { Grammar, GrammarNode } from './grammar.ts';

/** A grammar as places between bytes: what {@link ../grammar/parse-states.ts} moves through. */
export interface Automaton {
  readonly positions: readonly Position[];
  /** Where rules begin. */
  readonly starts: ReadonlyMap<string, number>;
  readonly root: number;
  /**
   * (nPositions,) fewest bytes from a position to the end of its rule, or inside the body of a counted loop to the end
   * of the body; Infinity where no text leads to an end.
   */
  readonly costs: Float64Array;
  /** (nPositions,) of rules without calls, a name that equal rules of other grammars share; else ''. */
  readonly signatures: readonly string[];
  /** (nPositions,) place of a position in its rule. */
  readonly offsets: Int32Array;
}

/**
 * @throws {RivuletError} `GRAMMAR_INVALID` for unknown rules, rules that begin with themselves and grammars that no
 *   text matches; `GRAMMAR_TOO_LARGE`
 */
export function createAutomaton(grammar: Grammar): Automaton {
  if (grammar.size > grammarLimits.rules) {
    throw new RivuletError(
      'GRAMMAR_TOO_LARGE',
      `Expected a grammar of at most ${grammarLimits.rules} rules, found ${grammar.size}.`,
      { details: { limit: grammarLimits.rules, rules: grammar.size } },
    );
  }
  const builder = new AutomatonBuilder();
  const starts = new Map<string, number>();
  const signatures: string[] = [];
  const offsets: number[] = [];
  const add = (name: string, node: GrammarNode): void => {
    const start = builder.addRule(node);
    starts.set(name, start);
    const rule = builder.positions.slice(start);
    const signature = rule.some(({ calls }) => calls.length > 0) ? '' : signatureOf(node);
    rule.forEach((_, offset) => {
      signatures.push(signature);
      offsets.push(offset);
    });
  };
  for (const [name, node] of grammar) add(name, node);
  for (let index = 0; index < builder.added.length; index += 1) add(...builder.added[index]!);
  const { positions } = builder;
  const root = starts.get(rootRule);
  if (root === undefined) throw invalid(`a rule named "${rootRule}"`, 'none', 'Add it.');
  checkCalls(positions, starts);
  const nullable = findNullable(positions, starts);
  checkLoops(positions, nullable);
  checkLeftRecursion(positions, starts, nullable);
  const costs = leastBytes(positions, starts);
  if (costs[root] === Infinity) {
    throw invalid('a grammar that some text matches', 'one that none does', 'Check its rules and bounds.');
  }
  return { positions, starts, root, costs, signatures, offsets: Int32Array.from(offsets) };
}

/** Bounds of counted loops are no part of their form. */
function signatureOf(node: GrammarNode): string {
  return JSON.stringify(node, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('isCounted' in value)) return value;
    return { ...value, minimum: 0, maximum: 0 };
  });
}

function checkCalls(positions: readonly Position[], starts: ReadonlyMap<string, number>): void {
  for (const { calls } of positions) {
    for (const { rule } of calls) {
      if (!starts.has(rule)) throw invalid('rules that are defined', `"${rule}", which is not`, 'Define it.');
    }
  }
}

/** Where a walk without bytes from a position leads: also through calls that may be empty. */
function emptySteps({ steps, calls, loop, enters }: Position, nullable: ReadonlySet<string>): number[] {
  return [
    ...steps,
    ...calls.flatMap(({ rule, next }) => (nullable.has(rule) ? [next] : [])),
    ...(loop === undefined ? [] : [loop.body, ...(loop.minimum === 0 ? [loop.exit] : [])]),
    ...(enters === undefined ? [] : [enters]),
  ];
}

function reach(
  start: number,
  positions: readonly Position[],
  nullable: ReadonlySet<string>,
): ReadonlySet<number> {
  const reached = new Set([start]);
  for (const at of reached) {
    for (const next of emptySteps(positions[at]!, nullable)) reached.add(next);
  }
  return reached;
}

function findNullable(
  positions: readonly Position[],
  starts: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  const nullable = new Set<string>();
  for (let grown = true; grown;) {
    grown = false;
    for (const [name, start] of starts) {
      if (nullable.has(name)) continue;
      if ([...reach(start, positions, nullable)].some((at) => positions[at]!.final)) {
        nullable.add(name);
        grown = true;
      }
    }
  }
  return nullable;
}

/** A counted loop over nothing would count without reading. */
function checkLoops(positions: readonly Position[], nullable: ReadonlySet<string>): void {
  for (const { loop } of positions) {
    if (loop === undefined) continue;
    if ([...reach(loop.body, positions, nullable)].some((at) => positions[at]!.again !== undefined)) {
      throw invalid(
        'counted repetitions of something that has characters',
        'a repetition of what may be empty',
        'Write the repetition with * or make its item non-empty.',
      );
    }
  }
}

function checkLeftRecursion(
  positions: readonly Position[],
  starts: ReadonlyMap<string, number>,
  nullable: ReadonlySet<string>,
): void {
  const done = new Set<string>();
  for (const first of starts.keys()) {
    /** Rules on the way, each with the rules that may begin it. */
    const path: { name: string; rest: string[] }[] = [];
    const enter = (name: string): void => {
      const rest = [...reach(starts.get(name)!, positions, nullable)].flatMap((at) =>
        positions[at]!.calls.map(({ rule }) => rule),
      );
      path.push({ name, rest });
    };
    if (!done.has(first)) enter(first);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const next = top.rest.pop();
      if (next === undefined) {
        done.add(top.name);
        path.pop();
      } else if (path.some(({ name }) => name === next)) {
        throw invalid(
          'rules that read something before they come to themselves again',
          `"${next}", which begins with itself`,
          'Write the recursion at the end of the rule, or as a repetition.',
        );
      } else if (!done.has(next)) enter(next);
    }
  }
}

function invalid(expected: string, found: string, remedy: string): RivuletError {
  return new RivuletError('GRAMMAR_INVALID', `Expected ${expected}, found ${found}. ${remedy}`);
}
