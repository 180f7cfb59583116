/** Who is measured. `bare` is a Node process that loads nothing, the zero of memory and start time; `machine` its memory. */
export type SubjectPlan =
  | { readonly kind: 'bare' }
  | { readonly kind: 'machine'; readonly threads: number }
  | { readonly kind: 'rivulet'; readonly threads?: number; readonly dialect?: string }
  | {
      readonly kind: 'node-llama-cpp';
      readonly threads: number;
      /** Where it is installed. */ readonly folder: string;
    };

/** What a child process is told, as JSON in its only argument. */
export interface Job {
  /** Name of a measure, or `describe`. */
  readonly task: string;
  readonly subject: SubjectPlan;
  /** Path of the GGUF file. */
  readonly model: string;
  /** Token ids that prompts are cut from, little-endian int32; absent for `describe`. */
  readonly idsFile?: string;
  /** The id that every prompt begins with, if the model wants one. */
  readonly begin?: number;
  readonly quick: boolean;
}

/** What a child process answers, as one line of JSON on stdout. */
export interface JobResult {
  /** By the ids of `figures.ts`. */
  readonly values: Readonly<Record<string, number>>;
  /** What ran, for people: "dialect portable, device cpu, threads 2". */
  readonly engine?: string;
  /** What part of all cores other processes used meanwhile, 0 to 1. */
  readonly busyElsewhere?: number;
  /** A greedy continuation, to see that both compute the same. */
  readonly text?: string;
  readonly description?: ModelDescription;
}

/** What the bench needs to know about a model before it measures. */
export interface ModelDescription {
  readonly name: string;
  readonly architecture: string;
  readonly quantization: string;
  readonly parameters: number;
  readonly fileBytes: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  /** Threads that rivulet chooses by itself or was told to take. */
  readonly threads: number;
  /** Weight bytes that one decoded token reads. */
  readonly bytesPerToken: number;
  /** Ids that prompts are cut from. */
  readonly ids: readonly number[];
  readonly begin?: number;
}
