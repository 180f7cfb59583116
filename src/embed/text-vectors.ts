import type { Warning } from '../events.ts';

/** How far a call for many texts is. */
export interface TextProgress {
  /** Texts that are done. */
  readonly done: number;
  /** Texts of the call. */
  readonly total: number;
}

/** What is the same for all texts of a call. */
export interface EmbedOptions {
  /** Elements per vector: cut and made length 1 again, for models trained so (Matryoshka). @default the model's */
  readonly dimensions?: number;
  /** What the texts are for: models with instructions for either get theirs in front. @default as they are */
  readonly kind?: 'query' | 'document';
  /** Put in front of every text, instead of what `kind` would. @default nothing */
  readonly prefix?: string;
  /** How the tokens' vectors become one; `none` = all of them, one after another. @default the file's */
  readonly pooling?: 'mean' | 'cls' | 'last' | 'none';
  /** Make vectors length 1. @default true, false with pooling `none` */
  readonly normalize?: boolean;
  /** Cut what is longer than the model takes, with a warning, instead of failing. @default false */
  readonly truncate?: boolean;
}

/** Texts to become vectors. */
export interface EmbedRequest extends EmbedOptions {
  readonly values: readonly string[];
  /** Hears how many texts are done. @default none */
  readonly onProgress?: (progress: TextProgress) => void;
  /** Ends the work. @default none */
  readonly signal?: AbortSignal;
}

export interface EmbedResult {
  /** In the order of the values, each (dimensions,); with pooling `none` (nTokens * dimensions). */
  readonly embeddings: readonly Float32Array[];
  readonly usage: { readonly tokens: number };
  readonly warnings: readonly Warning[];
}

export interface RerankOptions {
  /** What "relevant" means, for models that take an instruction. @default the model's own words */
  readonly instruction?: string;
  /** Cut documents that are too long together with the query, with a warning, instead of failing. @default false */
  readonly truncate?: boolean;
}

/** Documents to be ordered by how well they answer a query. */
export interface RerankRequest extends RerankOptions {
  readonly query: string;
  readonly documents: readonly string[];
  /** Return the best so many only. @default all */
  readonly topN?: number;
  /** Hears how many texts are done. @default none */
  readonly onProgress?: (progress: TextProgress) => void;
  /** Ends the work. @default none */
  readonly signal?: AbortSignal;
}

export interface RerankResult {
  /** Best first; of equal scores the earlier document. Scores are from 0 to 1. */
  readonly ranking: readonly { readonly index: number; readonly score: number }[];
  readonly usage: { readonly tokens: number };
  readonly warnings: readonly Warning[];
}

/** Some neighbouring texts of a request, small enough for one message. */
export interface EmbedSlice extends EmbedOptions {
  readonly kindOfSlice: 'embed';
  readonly values: readonly string[];
  /** Place of the first value in the request. */
  readonly first: number;
}

export interface RerankSlice extends RerankOptions {
  readonly kindOfSlice: 'rerank';
  readonly query: string;
  readonly documents: readonly string[];
  readonly first: number;
}

export type TextSlice = EmbedSlice | RerankSlice;

/** One row per text: its vector, or its score alone. */
export interface SliceResult {
  readonly rows: readonly Float32Array[];
  readonly tokens: number;
  readonly warnings: readonly Warning[];
}
