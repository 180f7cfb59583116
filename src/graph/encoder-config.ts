import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { TensorTable } from '../gguf/tensor-table.ts';
import type { Activation } from './activation.ts';
import { embeddingName, onlyEncodes, requireArchitecture } from './config.ts';
import { ArchitectureKeys } from './metadata-keys.ts';

/**
 * How the rows of a text become one: their mean, the first, the last; `rank` = what the model's classification
 * head says about it; `none` = they stay as they are.
 */
export type Pooling = 'mean' | 'cls' | 'last' | 'rank' | 'none';

/** What a model makes of whole texts. */
export interface EncoderConfig {
  /** Elements of a vector. */
  readonly width: number;
  /** The file's choice. */
  readonly pooling: Pooling;
  readonly rank?: RankConfig;
}

/** A classification head over one row of a text. */
export interface RankConfig {
  readonly rows: 'mean' | 'cls' | 'last';
  readonly labels: number;
  readonly labelNames?: readonly string[];
  /** Between the two matrices of the head, where it has two. */
  readonly activation: Activation;
  /** Rows of the matrix for logits that are the head; absent = the file has one of its own. */
  readonly tokens?: readonly number[];
}

/** By the number in the file. */
const poolings = ['none', 'mean', 'cls', 'last', 'rank'] as const;

/** Matrices that vectors go through one after another, without anything between. */
export const denseNames = ['dense_2', 'dense_3'] as const;

/** @throws {RivuletError} `UNSUPPORTED`, `GGUF_INVALID`, `METADATA_WRONG_TYPE` */
export function readEncoderConfig(
  metadata: Metadata,
  tensors: TensorTable,
  rankTokens?: readonly number[],
): EncoderConfig {
  const keys = new ArchitectureKeys(metadata);
  const bidirectional = onlyEncodes(metadata);
  const rank = readRank(keys, tensors, metadata, rankTokens);
  const told = keys.number('pooling_type');
  const pooling =
    told === undefined ? (rank === undefined ? (bidirectional ? 'mean' : 'last') : 'rank') : poolings[told];
  if (pooling === undefined) {
    throw new RivuletError(
      'UNSUPPORTED',
      `Expected ${keys.name('pooling_type')} to be from 0 to ${poolings.length - 1}, found ${told}. Look for a newer rivulet.`,
      { details: { key: keys.name('pooling_type') } },
    );
  }
  const dense = denseNames.findLast((name) => tensors.has(`${name}.weight`));
  return {
    width:
      dense === undefined ? keys.size('embedding_length') : (tensors.get(`${dense}.weight`)?.shape[1] ?? 1),
    pooling,
    ...(rank === undefined ? {} : { rank }),
  };
}

function readRank(
  keys: ArchitectureKeys,
  tensors: TensorTable,
  metadata: Metadata,
  tokens: readonly number[] | undefined,
): RankConfig | undefined {
  const head = requireArchitecture(metadata).rankHead;
  // Models that look back only know the whole text at its end.
  const rows = head?.rows ?? (onlyEncodes(metadata) ? 'cls' : 'last');
  const activation = head?.activation ?? 'tanh';
  const own = rankOutput(tensors);
  if (own !== undefined) {
    const labels = tensors.require(`${own}.weight`).shape[1] ?? 1;
    const names = metadata.optionalStrings(keys.name('classifier.output_labels'));
    return { rows, activation, labels, ...(names?.length === labels ? { labelNames: names } : {}) };
  }
  if (tokens === undefined || tokens.length === 0) return undefined;
  const vocabularySize = tensors.require(embeddingName(tensors)).shape[1] ?? 0;
  const outside = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
  if (outside === undefined) return { rows, activation, labels: tokens.length, tokens };
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected token ids from 0 to ${vocabularySize - 1} whose logits are the scores, found ${outside}.`,
  );
}

/** The last matrix of the file's own head. A square one alone is what some files keep of a head without its end. */
export function rankOutput(tensors: Pick<TensorTable, 'has' | 'get'>): 'cls.output' | 'cls' | undefined {
  if (tensors.has('cls.output.weight')) return 'cls.output';
  const [columns, rows = 1] = tensors.get('cls.weight')?.shape ?? [];
  return columns === undefined || rows === columns ? undefined : 'cls';
}
