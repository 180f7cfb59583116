/** One way to make vectors of texts. */
export interface Embedder {
  /** What it is and how it runs, for the report. */
  readonly engine: string;
  /** One call for all. */
  all(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
  /** One call for one. */
  one(text: string): Promise<ArrayLike<number>>;
  dispose(): Promise<void>;
}

/** Which one, as JSON for a process of its own. */
export type EmbedderPlan =
  | { readonly kind: 'rivulet'; readonly model: string; readonly dialect: 'native' | 'portable' }
  | {
      readonly kind: 'node-llama-cpp';
      readonly model: string;
      readonly folder: string;
      readonly threads: number;
    }
  /** `batch`: texts per call of its pipeline, sorted by length before. */
  | { readonly kind: 'transformers.js'; readonly folder: string; readonly batch: number };

export interface EmbedJob {
  readonly plan: EmbedderPlan;
  readonly texts: readonly string[];
  /** Also one call per text. */
  readonly singly: boolean;
}

export interface EmbedFigures {
  readonly engine: string;
  /** For all texts together. */
  readonly batchedMs: number;
  readonly singleMs?: number;
  readonly vectors: readonly (readonly number[])[];
}
