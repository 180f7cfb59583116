/** A grammar is compiled and followed for every token: beyond these sizes it is a mistake or an attack. */
export const grammarLimits = {
  /** Positions of an automaton, each some hundred bytes. */
  positions: 400_000,
  /** Rules of a grammar. */
  rules: 20_000,
  /** How deep the parts of a rule may be nested: building goes down recursively. */
  depth: 400,
  /** Repetitions that are counted; more are as good as unlimited. */
  repetitions: 1_000_000,
  /** Ways in which one text may be read at once; a grammar with more is ambiguous beyond use. */
  readings: 4_000,
  /** Characters of a grammar's or pattern's source. */
  sourceLength: 1_000_000,
  /** States of a pattern as an automaton without choices. */
  patternStates: 4_000,
  /** Characters of a schema as JSON. */
  schemaLength: 2_000_000,
  /** How deep a schema may be nested. */
  schemaDepth: 100,
  /** Alternatives that anyOf, oneOf, dependencies and conditions of one place multiply to. */
  alternatives: 512,
} as const;
