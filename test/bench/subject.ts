/** One greedy generation; times are `performance.now()` of the caller's thread, in milliseconds. */
export interface Generation {
  readonly startMs: number;
  /** Arrival of the first output. */
  readonly firstMs: number;
  readonly endMs: number;
  readonly tokens: number;
  /** Time for all tokens but the first. */
  readonly decodeMs: number;
  readonly text: string;
}

export interface GenerateOptions {
  readonly signal?: AbortSignal;
  /** Called for every piece of output. */
  readonly onPiece?: () => void;
}

/** A model that is ready to generate. */
export interface OpenSubject {
  /** What runs, for people. */
  readonly engine: string;
  /** When the package was imported and when the model was ready, as `performance.now()`. */
  readonly importedMs: number;
  readonly readyMs: number;
  /**
   * Continues a prompt greedily by `count` tokens, whatever they are.
   * @param stream which of the sequences, from 0; two generations of one stream must not overlap
   * @throws the signal's reason on abort
   */
  generate(stream: number, prompt: Int32Array, count: number, options?: GenerateOptions): Promise<Generation>;
  dispose(): Promise<void>;
}

/** What is known about the use of a subject before it opens. */
export interface SubjectNeeds {
  /** Tokens that each sequence will hold. */
  readonly contextTokens: number;
  /** Tokens that each sequence could hold, where that must be said beforehand. @default `contextTokens` */
  readonly roomTokens?: number;
  /** Sequences at once. */
  readonly sequences: number;
}

/** Tokens per second after the first token. */
export function decodeRate({ tokens, decodeMs }: Generation): number {
  return ((tokens - 1) * 1000) / decodeMs;
}

/** Milliseconds from the call to the first output. */
export function firstTokenMs({ startMs, firstMs }: Generation): number {
  return firstMs - startMs;
}
