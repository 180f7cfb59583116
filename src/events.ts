/** Something the caller asked for that this model or engine does not do, or does differently. */
export interface Warning {
  readonly type: 'unsupported' | 'compatibility' | 'other';
  /** The setting in question, for example `tools`. */
  readonly feature?: string;
  readonly message: string;
}

/** One alternative at a position: natural logarithm of its probability before truncation and temperature. */
export interface TokenAlternative {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
}

/** A sampled token with its probability and the best alternatives, most probable first. */
export interface TokenLogprob extends TokenAlternative {
  readonly top: readonly TokenAlternative[];
}

/** A token of the prompt; the first one has no predecessor and so no probability. */
export interface PromptTokenLogprob {
  readonly id: number;
  readonly text: string;
  readonly logprob: number | null;
  readonly top: readonly TokenAlternative[];
}

/** Token counts. `cacheRead` prompt tokens were not computed again because their prefix was cached. */
export interface Usage {
  readonly inputTokens: { readonly total: number; readonly cacheRead: number };
  readonly outputTokens: { readonly total: number; readonly reasoning: number };
}

/** Where the time of a request went, in milliseconds. `decode` starts at the first token. */
export interface Timings {
  readonly loadMs: number;
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export type FinishReason = 'stop' | 'length' | 'tool-calls';

/** Why exactly generation ended. */
export type RawFinishReason = 'eos' | 'stop-sequence' | 'max-tokens' | 'context-full';

/**
 * What a model says, in order: `start`, optional `prompt-logprobs`, blocks of reasoning, text and tool
 * input (each opened and closed), `finish`. A delta has the text of one token or of several. Every provider is a
 * pure mapping of this union.
 */
export type GenerateEvent =
  | {
      readonly type: 'start';
      readonly id: string;
      readonly modelId: string;
      /** Milliseconds since the epoch. */
      readonly timestamp: number;
      readonly warnings: readonly Warning[];
    }
  | { readonly type: 'prompt-logprobs'; readonly tokens: readonly PromptTokenLogprob[] }
  | { readonly type: 'reasoning-start'; readonly id: string }
  | {
      readonly type: 'reasoning-delta';
      readonly id: string;
      readonly delta: string;
      readonly tokens?: readonly TokenLogprob[];
    }
  | { readonly type: 'reasoning-end'; readonly id: string }
  | { readonly type: 'text-start'; readonly id: string }
  | {
      readonly type: 'text-delta';
      readonly id: string;
      readonly delta: string;
      readonly tokens?: readonly TokenLogprob[];
    }
  | { readonly type: 'text-end'; readonly id: string }
  | { readonly type: 'tool-input-start'; readonly id: string; readonly toolName: string }
  | { readonly type: 'tool-input-delta'; readonly id: string; readonly delta: string }
  | { readonly type: 'tool-input-end'; readonly id: string }
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly toolName: string;
      /** JSON text; equals the joined deltas. */
      readonly input: string;
    }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      readonly rawReason: RawFinishReason;
      /** What of the output is not as its schemas want it; only where a warning of `start` said that it may be so. */
      readonly warnings?: readonly Warning[];
      readonly usage: Usage;
      readonly timings: Timings;
    };

/** Progress of long work: fetching a file, converting it, repacking its weights, opening the engine. */
export interface Progress {
  readonly phase: 'resolve' | 'download' | 'extract' | 'verify' | 'convert' | 'repack' | 'load';
  /** What is being worked on, for people. */
  readonly label: string;
  /** Bytes of this phase that are done; absent where they are not counted. */
  readonly doneBytes?: number;
  /** Bytes of the whole phase; absent where they are not known. */
  readonly totalBytes?: number;
}

/** Hears every step of long work. */
export type ProgressListener = (progress: Progress) => void;
