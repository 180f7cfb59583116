/** What a figure has to reach. */
export interface Goal {
  /** Of our value itself, or of its ratio to the other's. */
  readonly of: 'value' | 'ratio';
  readonly bound: 'least' | 'most';
  readonly must: number | undefined;
  readonly wish: number;
}

export type Verdict = 'missed' | 'must' | 'goal';

export function atLeast(of: Goal['of'], must: number | undefined, wish: number): Goal {
  return { of, bound: 'least', must, wish };
}

export function atMost(of: Goal['of'], must: number, wish: number): Goal {
  return { of, bound: 'most', must, wish };
}

/** How far a measured value or ratio comes; undefined where only a wish exists and it is not met. */
export function judge(goal: Goal, measured: number): Verdict | undefined {
  const reaches = (bound: number): boolean =>
    goal.bound === 'least' ? measured >= bound : measured <= bound;
  if (reaches(goal.wish)) return 'goal';
  if (goal.must === undefined) return undefined;
  return reaches(goal.must) ? 'must' : 'missed';
}

/** "≥ 2, ≥ 3": what must be and what is wished. */
export function describeGoal({ bound, must, wish }: Goal): string {
  const sign = bound === 'least' ? '≥' : '≤';
  return `${must === undefined ? '–' : `${sign} ${must}`}, ${sign} ${wish}`;
}
