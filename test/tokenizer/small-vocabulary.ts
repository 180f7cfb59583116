import { Metadata, type MetadataValue } from '../../src/gguf/metadata.ts';
import { byteLevelAlphabet } from '../../src/tokenizer/byte-level-alphabet.ts';

/** A token with its type of `tokenizer.ggml.token_type`; 1 (normal) where none is given. */
export type SmallToken = string | readonly [text: string, type: number, score?: number];

/** Metadata of a byte-level vocabulary: the 256 bytes, then the given tokens. */
export function bytePairMetadata(
  tokens: readonly SmallToken[],
  merges: readonly string[],
  more: Readonly<Record<string, MetadataValue>> = {},
): Metadata {
  return small('gpt2', [...byteLevelAlphabet, ...tokens], {
    'tokenizer.ggml.merges': merges,
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.bos_token_id': 256,
    'tokenizer.ggml.eos_token_id': 256,
    ...more,
  });
}

/** Metadata of an SPM vocabulary: `<unk>`, `<s>`, `</s>`, the 256 byte tokens, then the given tokens. */
export function sentencePieceMetadata(
  tokens: readonly SmallToken[],
  more: Readonly<Record<string, MetadataValue>> = {},
): Metadata {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 6] as const,
  );
  return small('llama', [['<unk>', 2], ['<s>', 3], ['</s>', 3], ...bytes, ...tokens], more);
}

/** Metadata of a WordPiece vocabulary: `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`, then the given tokens. */
export function wordPieceMetadata(
  tokens: readonly SmallToken[],
  more: Readonly<Record<string, MetadataValue>> = {},
): Metadata {
  const marks: readonly SmallToken[] = [
    ['[PAD]', 3],
    ['[UNK]', 2],
    ['[CLS]', 3],
    ['[SEP]', 3],
    ['[MASK]', 3],
  ];
  return small('bert', [...marks, ...tokens], {
    'tokenizer.ggml.bos_token_id': 2,
    'tokenizer.ggml.seperator_token_id': 3,
    'tokenizer.ggml.unknown_token_id': 1,
    ...more,
  });
}

/** Metadata of a Unigram vocabulary: `<pad>`, `</s>`, `<unk>`, then the given tokens. */
export function unigramMetadata(
  tokens: readonly SmallToken[],
  more: Readonly<Record<string, MetadataValue>> = {},
): Metadata {
  return small('t5', [['<pad>', 3], ['</s>', 3], ['<unk>', 2], ...tokens], more);
}

function small(
  model: string,
  tokens: readonly SmallToken[],
  more: Readonly<Record<string, MetadataValue>>,
): Metadata {
  const parts = tokens.map((token) => (typeof token === 'string' ? ([token, 1] as const) : token));
  return new Metadata(
    new Map<string, MetadataValue>([
      ['general.architecture', 'llama'],
      ['tokenizer.ggml.model', model],
      ['tokenizer.ggml.tokens', parts.map(([text]) => text)],
      ['tokenizer.ggml.token_type', Int32Array.from(parts, ([, type]) => type)],
      ['tokenizer.ggml.scores', Float32Array.from(parts, ([, , score]) => score ?? 0)],
      ...Object.entries(more),
    ]),
  );
}
