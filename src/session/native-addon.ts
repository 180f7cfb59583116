import type { NativeCacheLayer } from '../graph/native-io.ts';
import type { Candidates, Penalties, StepResult } from './session.ts';

/** What the addon exports; `kernels/src/border/addon.rs` is the other side. */
export interface NativeAddon {
  readonly NativeEngine: {
    /** Starts loading in a thread of its own; `ready` tells how it went. Throws for wrong options. */
    start(options: NativeEngineOptions, ready: (outcome: NativeOutcome) => void): NativeEngine;
  };
  availableIsas(): string[];
}

export interface NativeEngineOptions {
  /** Path of ONNX Runtime's shared library. */
  readonly library: string;
  /** Paths of the model's files, in the order of their shards. */
  readonly files: readonly string[];
  readonly graph: Uint8Array;
  readonly layers: readonly NativeCacheLayer[];
  readonly cacheType: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly cacheBudgetBytes: number;
  readonly threads: number;
  readonly contextLength: number;
  readonly vocabularySize: number;
}

export interface NativeSelection {
  readonly count: number;
  /** Same length as `biasValues`. */
  readonly biasIds?: Int32Array;
  readonly biasValues?: Float32Array;
  readonly penalties?: Penalties;
  readonly mask?: Int32Array;
  readonly rawTop?: number;
}

export interface NativeItem {
  readonly sequence: number;
  readonly tokens: Int32Array;
  readonly select?: NativeSelection;
  readonly scoreTargets?: Int32Array;
  readonly scoreTop?: number;
  /** 1 = of the last token, 2 = of all. */
  readonly logits?: number;
}

export interface NativeText {
  readonly tokens: Int32Array;
  /** 0 = mean, 1 = first token, 2 = last token, 3 = each token. */
  readonly pooling: number;
  /** What the graph's head says instead of vectors. */
  readonly scored: boolean;
}

/** Numbers per text, or an error code with its message. */
export interface NativeVectors {
  readonly code?: string;
  readonly message?: string;
  readonly vectors?: readonly Float32Array[];
}

/** Results, or an error code with its message. */
export interface NativeOutcome {
  readonly code?: string;
  readonly message?: string;
  readonly results?: readonly StepResult[];
}

export interface NativeEngine {
  /** Instruction set of the kernels. */
  readonly isa: string;
  openSequence(): number;
  lengthOf(sequence: number): number;
  truncate(sequence: number, length: number): void;
  fork(sequence: number, length: number): number;
  closeSequence(sequence: number): void;
  /** The first `length` tokens' cache, for {@link restoreSequence} of an engine of the same model. */
  saveSequence(sequence: number, length: number): Uint8Array;
  restoreSequence(bytes: Uint8Array): number;
  /** Bytes that the caches of some sequences take; what they share counts once. */
  cacheBytesOf(sequences: readonly number[]): number;
  moreCandidates(sequence: number, count: number): Candidates;
  /** Never rejects. */
  step(items: readonly NativeItem[]): Promise<NativeOutcome>;
  /** Whole texts, of which nothing is kept, through a graph that encodes. Never rejects. */
  encode(items: readonly NativeText[]): Promise<NativeVectors>;
  cancel(): void;
  /** Waits some milliseconds for the engine's thread. */
  end(): void;
}
