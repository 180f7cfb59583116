import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { GgufFile } from '../../src/gguf/read-gguf.ts';
import type { TensorType } from '../../src/gguf/tensor-type.ts';
import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import { nBitsLayout } from '../../src/quant/repack-nbits.ts';
import type { Session } from '../../src/session/session.ts';

/** One model of `tiny-models/`, see the README there for the meaning of the keys. */
export interface TinyModelCase {
  readonly name: string;
  readonly architecture: string;
  readonly kind: 'decoder' | 'encoder' | 'encoder-decoder';
  readonly tokens: readonly number[];
  readonly vocabSize: number;
  readonly logits: readonly { readonly position: number; readonly data: string }[];
  readonly stepLogits: { readonly position: number; readonly data: string };
  readonly generated: { readonly tokens: readonly number[]; readonly margins: readonly number[] };
  readonly otherBuildDifference: number;
  readonly quantised?: Readonly<Record<string, string>>;
  readonly onQuantised?: { readonly maxDifference: number };
}

/** Largest differences found, in logits. */
export interface TinyModelFigures {
  readonly atOnce: number;
  readonly inChunks: number;
  readonly oneByOne: number;
  /** Greedy tokens that agree, up to the first whose lead is smaller than the tolerance. */
  readonly greedyMatched: number;
  readonly greedyExpected: number;
  readonly tolerance: number;
}

export type DialectName = 'native' | 'portable';

/**
 * Floats leave only the noise of f32. Where activations become int8, their noise comes on top: in the native engine
 * for all quantized weights, in the portable one for 8-bit ones.
 */
export function toleranceOf(
  testCase: Pick<TinyModelCase, 'otherBuildDifference' | 'quantised' | 'onQuantised'>,
  dialect: DialectName,
): number {
  const noise = Math.max(1e-4, 20 * testCase.otherBuildDifference);
  const types = Object.values(testCase.quantised ?? {});
  const roundsActivations = types.some(
    (type) =>
      !['F32', 'F16', 'BF16'].includes(type) &&
      (dialect === 'native' || nBitsLayout(type as TensorType)?.bits === 8),
  );
  if (!roundsActivations) return noise;
  // The largest of some thousand rounding errors is luck; another order of the same roundings may have half as much more.
  const luck = dialect === 'native' ? 1.5 : 1;
  return Math.max(noise, luck * (testCase.onQuantised?.maxDifference ?? 0));
}

export function readTinyModelCase(folder: string, name: string): TinyModelCase {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as TinyModelCase;
}

/** Runs `use` with a tiny model and a cache folder; `.gguf.gz` files are unpacked into a temporary folder. */
export async function withTinyFile<T>(
  folder: string,
  name: string,
  use: (gguf: GgufFile, cache: string) => Promise<T>,
): Promise<T> {
  const temporary = mkdtempSync(join(tmpdir(), 'rivulet-tiny-'));
  let path = join(folder, `${name}.gguf`);
  try {
    if (folder.includes(join('test', 'conformance'))) {
      const packed = readFileSync(`${path}.gz`);
      path = join(temporary, `${name}.gguf`);
      writeFileSync(path, gunzipSync(packed));
    }
    const gguf = await openGguf(nodePlatform, path);
    try {
      return await use(gguf, join(temporary, 'cache'));
    } finally {
      await closeGguf(gguf);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Runs `use` with a session over a tiny model. */
export function withTinySession<T>(
  folder: string,
  name: string,
  dialect: DialectName,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  return withTinyFile(folder, name, async (gguf, cache) => {
    let session: Session | undefined;
    try {
      session = await nodePlatform.createSession({
        gguf,
        contextLength: gguf.metadata.number(`${gguf.metadata.architecture}.context_length`),
        threads: 1,
        dialect,
        // As the reference; the smaller forms have tests of their own.
        cacheType: 'f32',
        cache,
      });
      return await use(session);
    } finally {
      await session?.dispose();
    }
  });
}

/** Compares a session with the reference: whole prompt, chunks of 5, single tokens, greedy continuation. */
export async function compareTinyModel(session: Session, testCase: TinyModelCase): Promise<TinyModelFigures> {
  const tokens = Int32Array.from(testCase.tokens);
  const tolerance = toleranceOf(testCase, session.info.dialect);
  const whole = await rowsInChunks(session, tokens, tokens.length);
  const chunked = await rowsInChunks(session, tokens, 5);
  const single = await rowsInChunks(session, tokens, 1);
  const vocabularySize = session.info.vocabularySize;
  const row = (rows: Float32Array, position: number): Float32Array =>
    rows.subarray(position * vocabularySize, (position + 1) * vocabularySize);
  const atOnce = Math.max(
    ...testCase.logits.map(({ position, data }) => difference(row(whole, position), decodeFloats(data))),
  );
  const { position, data } = testCase.stepLogits;
  const greedy = await compareGreedy(session, testCase, tolerance);
  return {
    atOnce,
    inChunks: difference(whole, chunked),
    oneByOne: Math.max(difference(whole, single), difference(row(single, position), decodeFloats(data))),
    ...greedy,
    tolerance,
  };
}

async function rowsInChunks(session: Session, tokens: Int32Array, size: number): Promise<Float32Array> {
  const sequence = session.openSequence();
  const rows = new Float32Array(tokens.length * session.info.vocabularySize);
  for (let start = 0; start < tokens.length; start += size) {
    const chunk = tokens.subarray(start, start + size);
    const [result] = await session.step([{ sequence, tokens: chunk, logits: 'all' }]);
    rows.set(result?.logits ?? [], start * session.info.vocabularySize);
  }
  session.closeSequence(sequence);
  return rows;
}

async function compareGreedy(
  session: Session,
  testCase: TinyModelCase,
  tolerance: number,
): Promise<{ greedyMatched: number; greedyExpected: number }> {
  const { tokens, margins } = testCase.generated;
  // Both candidates may move towards each other, each by the tolerance.
  const unsure = margins.findIndex((margin) => margin < 2 * tolerance);
  const greedyExpected = unsure < 0 ? tokens.length : unsure;
  const sequence = session.openSequence();
  let next = Int32Array.from(testCase.tokens);
  let greedyMatched = 0;
  while (greedyMatched < greedyExpected) {
    const [result] = await session.step([{ sequence, tokens: next, select: { count: 1 } }]);
    const id = result?.candidates?.ids[0] ?? -1;
    if (id !== tokens[greedyMatched]) break;
    greedyMatched += 1;
    next = Int32Array.of(id);
  }
  session.closeSequence(sequence);
  return { greedyMatched, greedyExpected };
}

export function difference(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [index, value] of left.entries()) {
    const distance = Math.abs(value - (right[index] ?? Number.NaN));
    if (!(distance <= largest)) largest = distance;
  }
  return largest;
}

/** base64 of little-endian f32. */
export function decodeFloats(data: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return new Float32Array(bytes.buffer);
}
