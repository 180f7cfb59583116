import { RivuletError } from '../errors.ts';
import type { Warning } from '../events.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { Encoder, EncoderInfo, EncoderItem, Pooling } from '../session/encoder.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { finishVector } from './finish-vector.ts';
import { planBatches } from './plan-batches.ts';
import { findPrefixes } from './prefixes.ts';
import { preparePairs } from './rerank-pairs.ts';
import { scorePair } from './score-pair.ts';
import { tokenizeText } from './text-tokens.ts';
import type { TextTokens } from './text-tokens.ts';
import type { EmbedSlice, RerankSlice, SliceResult, TextSlice } from './text-vectors.ts';

/** What makes vectors and scores of texts: tokenizer → batches → encoder → finished rows. */
export interface TextEngine {
  /** @throws {RivuletError} `INVALID_ARGUMENT`, `CONTEXT_OVERFLOW`, `UNSUPPORTED` and what the encoder throws */
  readonly run: (slice: TextSlice, signal?: AbortSignal) => Promise<SliceResult>;
  dispose(): Promise<void>;
}

export interface TextEngineParts {
  /** For messages. */
  readonly modelId: string;
  readonly metadata: Metadata;
  readonly tokenizer: Tokenizer;
  /** The file was not made for vectors of texts. */
  readonly isForChat: boolean;
  /** Opens the file's graph; with token ids, one whose scores are their logits. */
  open(rankTokens?: readonly number[]): Promise<Encoder>;
}

/** Nothing is opened before the first request. */
export function createTextEngine(parts: TextEngineParts): TextEngine {
  const { modelId, metadata, tokenizer, isForChat } = parts;
  const prefixes = findPrefixes(metadata);
  const opened = new Map<'own' | 'yes-no', Promise<Encoder>>();
  const closing = new AbortController();
  /** Steps of an encoder must not overlap; those of several requests take turns. */
  let lastStep: Promise<unknown> = Promise.resolve();

  const encoderOf = (kind: 'own' | 'yes-no'): Promise<Encoder> => {
    closing.signal.throwIfAborted();
    let encoder = opened.get(kind);
    if (encoder === undefined) {
      encoder = parts.open(kind === 'own' ? undefined : yesNoIds(tokenizer));
      // A failed opening is not kept: the next request tries again.
      encoder.catch(() => opened.delete(kind));
      opened.set(kind, encoder);
    }
    return encoder;
  };

  const step = (
    encoder: Encoder,
    items: readonly EncoderItem[],
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> => {
    const running = lastStep.then(() => {
      signal.throwIfAborted();
      return encoder.encode(items, signal).catch((error: unknown) => {
        throw withModelName(error, modelId);
      });
    });
    lastStep = running.catch(() => undefined);
    return running;
  };

  const encodeAll = async (
    encoder: Encoder,
    texts: readonly Int32Array[],
    pooling: Pooling,
    signal: AbortSignal,
  ): Promise<Float32Array[]> => {
    const rows: Float32Array[] = Array.from({ length: texts.length });
    const lengths = texts.map((text) => text.length);
    for (const places of planBatches(lengths, encoder.info.tokensPerStep)) {
      const items = places.map((place) => ({ tokens: texts[place] ?? new Int32Array(), pooling }));
      const found = await step(encoder, items, signal);
      for (const [index, place] of places.entries()) rows[place] = found[index] ?? new Float32Array();
    }
    return rows;
  };

  const embed = async (slice: EmbedSlice, signal: AbortSignal): Promise<SliceResult> => {
    const encoder = await encoderOf('own');
    const { info } = encoder;
    const pooling = choosePooling(slice.pooling, info);
    const dimensions = checkDimensions(slice.dimensions, info.width, modelId);
    const { prefix = slice.kind === undefined ? '' : prefixes[slice.kind] } = slice;
    const warnings: Warning[] = [];
    if (isForChat) warnings.push(chatWarning(modelId, pooling));
    else if (slice.pooling === undefined && info.pooling !== pooling)
      warnings.push(poolingWarning(info, pooling));
    const texts = slice.values.map((value, index) => {
      const text = tokenizeText(tokenizer, prefix + value, info.contextLength);
      return checkText(text, `values[${slice.first + index}]`, slice.truncate, info, warnings);
    });
    const normalize = slice.normalize ?? pooling !== 'none';
    const rows = await encodeAll(encoder, texts, pooling, signal);
    return {
      rows:
        pooling === 'none'
          ? rows.map((row) => finishRows(row, info.width, dimensions, normalize))
          : rows.map((row) => finishVector(row, dimensions, normalize)),
      tokens: countTokens(texts),
      warnings,
    };
  };

  const rerank = async (slice: RerankSlice, signal: AbortSignal): Promise<SliceResult> => {
    const own = isForChat ? undefined : await encoderOf('own');
    const hasHead = own?.info.labels !== undefined;
    if (!hasHead && !answersYesOrNo(metadata, tokenizer)) throw noReranker(modelId);
    const encoder = hasHead ? own : await encoderOf('yes-no');
    const { info } = encoder;
    const pairOf = preparePairs(tokenizer, metadata, hasHead ? 'head' : 'yes-no', info.contextLength);
    const warnings: Warning[] = [];
    const texts = slice.documents.map((document, index) => {
      const pair = pairOf(slice.query, document, slice.instruction);
      const name = `The query with documents[${slice.first + index}]`;
      return checkText(pair, name, slice.truncate, info, warnings);
    });
    const rows = await encodeAll(encoder, texts, 'rank', signal);
    return {
      rows: rows.map((row) =>
        Float32Array.of(scorePair(row, info.labelNames ?? (hasHead ? [] : ['yes', 'no']))),
      ),
      tokens: countTokens(texts),
      warnings,
    };
  };

  return {
    run: async (slice, signal) => {
      const either = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      either.throwIfAborted();
      return slice.kindOfSlice === 'embed' ? embed(slice, either) : rerank(slice, either);
    },
    dispose: async () => {
      closing.abort(new RivuletError('DISPOSED', `The model "${modelId}" was disposed; load it again.`));
      await lastStep;
      const encoders = await Promise.allSettled(opened.values());
      await Promise.all(
        encoders.map((each) => (each.status === 'fulfilled' ? each.value.dispose() : undefined)),
      );
    },
  };
}

/** For models without weights. */
export function noTextEngine(modelId: string): TextEngine {
  return {
    run: async () => {
      throw new RivuletError(
        'UNSUPPORTED',
        `The model "${modelId}" has no weights to make vectors of texts with. Load a model file, without vocabularyOnly.`,
      );
    },
    dispose: () => Promise.resolve(),
  };
}

/** What is wrong with a file's weights is of use with the file's name only. */
function withModelName(error: unknown, modelId: string): unknown {
  if (!RivuletError.isInstance(error) || error.code !== 'WEIGHTS_NOT_FINITE') return error;
  return new RivuletError(error.code, `"${modelId}": ${error.message}`, { cause: error });
}

function countTokens(texts: readonly Int32Array[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}

/** One vector per text; what a file says otherwise is not for {@link EmbedSlice}. */
function choosePooling(wanted: EmbedSlice['pooling'], info: EncoderInfo): Exclude<Pooling, 'rank'> {
  if (wanted !== undefined) {
    if (['mean', 'cls', 'last', 'none'].includes(wanted)) return wanted;
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected pooling to be one of mean, cls, last and none, found "${String(wanted)}".`,
      { details: { option: 'pooling' } },
    );
  }
  if (info.pooling === 'rank') return 'cls';
  return info.pooling === 'none' ? 'mean' : info.pooling;
}

function checkDimensions(wanted: number | undefined, width: number, modelId: string): number {
  if (wanted === undefined) return width;
  if (Number.isInteger(wanted) && wanted > 0 && wanted <= width) return wanted;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected dimensions to be a whole number from 1 to ${width}, which is what "${modelId}" makes; found ${wanted}.`,
    { details: { option: 'dimensions', dimensions: wanted, width } },
  );
}

/** Refuses, or reports, what does not fit. @throws {RivuletError} `INVALID_ARGUMENT`, `CONTEXT_OVERFLOW` */
function checkText(
  { ids, length }: TextTokens,
  name: string,
  truncate: boolean | undefined,
  { contextLength }: EncoderInfo,
  warnings: Warning[],
): Int32Array {
  if (length === 0) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `${name} is empty, and this model has no token for that. Leave it out.`,
    );
  }
  if (length <= contextLength) return ids;
  if (truncate !== true) {
    throw new RivuletError(
      'CONTEXT_OVERFLOW',
      `${name} is ${length} tokens long, but the model takes at most ${contextLength}. Split it, or set truncate to cut it.`,
      { details: { text: name, tokens: length, contextLength } },
    );
  }
  warnings.push({
    type: 'other',
    feature: 'truncate',
    message: `${name} was cut from ${length} to ${contextLength} tokens.`,
  });
  return ids;
}

/** Every row of a text on its own. */
function finishRows(rows: Float32Array, width: number, dimensions: number, normalize: boolean): Float32Array {
  const count = rows.length / width;
  const finished = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const one = rows.subarray(row * width, (row + 1) * width);
    finished.set(finishVector(one, dimensions, normalize), row * dimensions);
  }
  return finished;
}

function yesNoIds(tokenizer: Tokenizer): readonly number[] {
  return ['yes', 'no'].map((answer) => tokenizer.idOf(answer));
}

/** Decoders that were trained to judge pairs say so by name, or by a template for pairs. */
function answersYesOrNo(metadata: Metadata, tokenizer: Tokenizer): boolean {
  const name = `${metadata.optionalString('general.name') ?? ''} ${metadata.optionalString('general.basename') ?? ''}`;
  const isMeant =
    /rerank/i.test(name) || metadata.optionalString('tokenizer.chat_template.rerank') !== undefined;
  return isMeant && yesNoIds(tokenizer).every((id) => id !== -1);
}

function noReranker(modelId: string): RivuletError {
  return new RivuletError(
    'UNSUPPORTED',
    `Expected a reranker: a model with a classification head, or one trained to answer yes or no; "${modelId}" is neither. Load a reranking model, or compare embeddings.`,
  );
}

function chatWarning(modelId: string, pooling: Pooling): Warning {
  return {
    type: 'compatibility',
    feature: 'embed',
    message: `"${modelId}" was trained to generate text, not for vectors: they are its hidden states, pooled by "${pooling}". An embedding model will find more.`,
  };
}

function poolingWarning(info: EncoderInfo, pooling: Pooling): Warning {
  return {
    type: 'compatibility',
    feature: 'pooling',
    message: `The file asks for pooling "${info.pooling}", which gives no vector per text; "${pooling}" was used. Set pooling to choose.`,
  };
}
