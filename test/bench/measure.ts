import type { Prompts } from './prompts.ts';
import type { OpenSubject, SubjectNeeds } from './subject.ts';

/** How much is done for one sample. */
export interface Effort {
  /** Tokens that a decoding stream generates. */
  readonly decodeTokens: number;
  /** Prefills of one sample: until so many, or so many milliseconds are over. */
  readonly prefills: number;
  readonly prefillMs: number;
  readonly aborts: number;
}

export const fullEffort: Effort = { decodeTokens: 128, prefills: 5, prefillMs: 1500, aborts: 5 };
export const quickEffort: Effort = { decodeTokens: 16, prefills: 1, prefillMs: 0, aborts: 2 };

/** One sample is taken from this. */
export interface MeasureContext {
  readonly opened: OpenSubject;
  /** `performance.now()` of the child's first statement. */
  readonly begunMs: number;
  readonly prompts: Prompts;
  readonly effort: Effort;
}

export interface Sample {
  /** By the ids of `figures.ts`. */
  readonly values: Readonly<Record<string, number>>;
  readonly text?: string;
}

/** Something that one child process measures. */
export interface Measure extends SubjectNeeds {
  /** As `--only` names it. */
  readonly name: string;
  /** It reads the memory of a process, and so needs a system that tells. */
  readonly needsMemoryUse: boolean;
  run(context: MeasureContext): Promise<Sample>;
}
