import { RivuletError } from '../errors.ts';
import type { ModelConfig } from '../graph/config.ts';
import type { EncoderConfig, Pooling } from '../graph/encoder-config.ts';
import type { SessionInfo } from './session.ts';

export type { Pooling } from '../graph/encoder-config.ts';

/** What an encoder is and can take. */
export interface EncoderInfo extends Pick<SessionInfo, 'dialect' | 'device' | 'isa' | 'threads'> {
  /** Longest text, in tokens. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** Elements of a vector. */
  readonly width: number;
  /** The file's own choice; without one the last token of models that look back only, else the mean. */
  readonly pooling: Pooling;
  /** Values of the rank head; absent = the model has none. */
  readonly labels?: number;
  /** What those values stand for, where the file tells: `yes` and `no`, for example. */
  readonly labelNames?: readonly string[];
  /** Tokens that a step is at its best with; one longer text may still come alone. */
  readonly tokensPerStep: number;
}

/** One text of a step. */
export interface EncoderItem {
  /** (nTokens,), at least one. */
  readonly tokens: Int32Array;
  readonly pooling: Pooling;
}

/** A loaded graph that makes vectors of whole texts and keeps nothing between two steps. */
export interface Encoder {
  readonly info: EncoderInfo;
  /**
   * Runs whole texts of any lengths as one step. Per item (width,) pooled but not normalised, (labels,) raw scores
   * for `rank`, (nTokens, width) for `none`. In the native dialect a text's numbers do not depend on the others.
   * Steps must not overlap.
   * @throws {RivuletError} `CONTEXT_OVERFLOW`, `INVALID_ARGUMENT`, `WEIGHTS_NOT_FINITE`, `ENGINE_FAILED`, `DISPOSED`;
   *   `UNSUPPORTED` for `rank` without a head; the signal's reason on abort
   */
  encode(items: readonly EncoderItem[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
  dispose(): Promise<void>;
}

/** Poolings that are about rows alone. */
export type RowPooling = Exclude<Pooling, 'rank'>;

/** Which rows an item's pooling takes. */
export function rowsOfPooling(pooling: Pooling, rankRows: RowPooling): RowPooling {
  return pooling === 'rank' ? rankRows : pooling;
}

/** @throws {RivuletError} `INVALID_ARGUMENT`, `CONTEXT_OVERFLOW`, `UNSUPPORTED` */
export function checkItems(info: EncoderInfo, items: readonly EncoderItem[]): void {
  const { contextLength, vocabularySize, labels } = info;
  for (const [index, { tokens, pooling }] of items.entries()) {
    if (tokens.length > contextLength) {
      throw new RivuletError(
        'CONTEXT_OVERFLOW',
        `Text ${index} is ${tokens.length} tokens long, but the model takes at most ${contextLength}. Cut it or split it.`,
        { details: { index, tokens: tokens.length, contextLength } },
      );
    }
    const outside = tokens.find((token) => token < 0 || token >= vocabularySize);
    if (outside !== undefined || tokens.length === 0) {
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected text ${index} to be of token ids from 0 to ${vocabularySize - 1}, found ${outside ?? 'none at all'}.`,
        { details: { index } },
      );
    }
    if (pooling === 'rank' && labels === undefined) {
      throw new RivuletError(
        'UNSUPPORTED',
        'Expected a model with a classification head for scores, found none in the file. Choose a reranker.',
      );
    }
  }
}

/** What an encoder tells about itself, from its graph's configuration. */
export function describeEncoder(
  config: ModelConfig,
  { width, pooling, rank }: EncoderConfig,
  rest: Pick<EncoderInfo, 'dialect' | 'device' | 'isa' | 'threads' | 'tokensPerStep'>,
): EncoderInfo {
  return {
    ...rest,
    contextLength: config.trainedContextLength,
    vocabularySize: config.vocabularySize,
    width,
    pooling,
    ...(rank === undefined ? {} : { labels: rank.labels }),
    ...(rank?.labelNames === undefined ? {} : { labelNames: rank.labelNames }),
  };
}
