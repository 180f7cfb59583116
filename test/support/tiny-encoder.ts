import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nodePlatform } from '../../src/platform-node.ts';
import type { Encoder, EncoderItem, Pooling } from '../../src/session/encoder.ts';
import { decodeFloats, difference, readTinyModelCase, toleranceOf, withTinyFile } from './tiny-model.ts';
import type { DialectName } from './tiny-model.ts';

/** One encoder of `tiny-models/`. */
export interface TinyEncoderCase {
  readonly tokens: readonly number[];
  readonly embeddingSize: number;
  readonly tokenEmbeddings: readonly { readonly position: number; readonly data: string }[];
  readonly pooled: Readonly<Partial<Record<Pooling, string>>>;
  readonly otherBuildDifference: number;
}

/** Largest differences found. */
export interface TinyEncoderFigures {
  /** Of single tokens' vectors from the reference. */
  readonly tokens: number;
  /** Of pooled vectors and scores from the reference. */
  readonly pooled: number;
  /** Of the same text alone and among others, all poolings. */
  readonly amongOthers: number;
  readonly tolerance: number;
}

export function readTinyEncoderCase(folder: string, name: string): TinyEncoderCase {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as TinyEncoderCase;
}

export function withTinyEncoder<T>(
  folder: string,
  name: string,
  dialect: DialectName,
  use: (encoder: Encoder) => Promise<T>,
): Promise<T> {
  return withTinyFile(folder, name, async (gguf, cache) => {
    const encoder = await nodePlatform.createEncoder?.({ gguf, threads: 1, dialect, cache });
    if (encoder === undefined) throw new RangeError('no encoders on this platform');
    try {
      return await use(encoder);
    } finally {
      await encoder.dispose();
    }
  });
}

export async function compareTinyEncoder(
  encoder: Encoder,
  testCase: TinyEncoderCase,
): Promise<TinyEncoderFigures> {
  const tokens = Int32Array.from(testCase.tokens);
  const alone = async (pooling: Pooling): Promise<Float32Array> => {
    const [vector] = await encoder.encode([{ tokens, pooling }]);
    return vector ?? new Float32Array();
  };
  const rows = await alone('none');
  const width = rows.length / tokens.length;
  const perToken = testCase.tokenEmbeddings.map(({ position, data }) =>
    difference(rows.subarray(position * width, (position + 1) * width), decodeFloats(data)),
  );
  const kinds = Object.entries(testCase.pooled) as [Pooling, string][];
  const pooled = await Promise.all(
    kinds.map(async ([pooling, data]) => {
      const expected = decodeFloats(data);
      const found = await alone(pooling);
      // Behind the score the reference leaves padding.
      return difference(found, pooling === 'rank' ? expected.subarray(0, found.length) : expected);
    }),
  );
  return {
    tokens: Math.max(...perToken),
    pooled: Math.max(...pooled),
    amongOthers: await compareAmongOthers(encoder, tokens, ['none', ...kinds.map(([kind]) => kind)]),
    tolerance: toleranceOf(testCase, encoder.info.dialect),
  };
}

async function compareAmongOthers(
  encoder: Encoder,
  tokens: Int32Array,
  poolings: readonly Pooling[],
): Promise<number> {
  const items = poolings.flatMap((pooling): EncoderItem[] => [
    { tokens: tokens.subarray(0, 1), pooling },
    { tokens, pooling },
    { tokens: tokens.subarray(3, 10), pooling },
  ]);
  const together = await encoder.encode(items);
  const differences: number[] = [];
  for (const [index, item] of items.entries()) {
    const [alone] = await encoder.encode([item]);
    differences.push(difference(alone ?? new Float32Array(), together[index] ?? new Float32Array()));
  }
  return Math.max(...differences);
}

/**
 * Largest difference of a decoder's scores for three tokens, of a text among others, from the reference's logits; in
 * tolerances.
 */
export function compareDecoderScores(folder: string, name: string, dialect: DialectName): Promise<number> {
  const testCase = readTinyModelCase(folder, name);
  const tokens = Int32Array.from(testCase.tokens);
  const logits = decodeFloats(
    testCase.logits.find(({ position }) => position === tokens.length - 1)?.data ?? '',
  );
  const rankTokens = [0, logits.length - 1, logits.indexOf(Math.max(...logits))];
  // The head of a decoder takes its input more precisely than other products of quantized weights.
  const tolerance = toleranceOf(testCase, dialect) * (testCase.quantised === undefined ? 1 : 2);
  return withTinyFile(folder, name, async (gguf, cache) => {
    const encoder = await nodePlatform.createEncoder?.({ gguf, threads: 1, dialect, cache, rankTokens });
    const found = await encoder?.encode([
      { tokens: tokens.subarray(2, 11), pooling: 'mean' },
      { tokens, pooling: 'rank' },
      { tokens: tokens.subarray(0, 1), pooling: 'rank' },
    ]);
    await encoder?.dispose();
    const expected = Float32Array.from(rankTokens, (token) => logits[token] ?? Number.NaN);
    return difference(found?.[1] ?? new Float32Array(), expected) / tolerance;
  });
}
