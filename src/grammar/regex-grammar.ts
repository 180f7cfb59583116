import { characters, rootRule } from './grammar.ts';
import type { Grammar } from './grammar.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import { patternMachine } from './pattern/text-machine.ts';

/** Outputs that a regular expression matches from end to end. @throws as {@link parsePattern} */
export function regexGrammar(source: string): Grammar {
  const { states } = patternMachine(parsePattern(source), true);
  return new Map([
    [
      rootRule,
      {
        kind: 'machine',
        states: states.map(({ edges, final }) => ({
          final,
          edges: edges.map(({ first, last, target }) => ({ node: characters([[first, last]]), target })),
        })),
      },
    ],
  ]);
}
