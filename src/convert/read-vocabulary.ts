import { type ConvertedVocabulary, unsupportedVocabulary } from './converted-vocabulary.ts';
import { readModelJson } from './json-fields.ts';
import type { ModelFiles } from './model-files.ts';
import { readUnigramVocabulary } from './unigram-vocabulary.ts';
import { readWordPieceVocabulary } from './word-piece-vocabulary.ts';

/**
 * Reads the vocabulary of an encoder, of whichever kind `tokenizer.json` says; without it `vocab.txt`.
 * @param size tokens of the embedding table
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`
 */
export async function readVocabulary(
  files: ModelFiles,
  size: number,
  signal?: AbortSignal,
): Promise<ConvertedVocabulary> {
  const settings = await readModelJson(files, 'tokenizer_config.json', signal);
  const tokenizer = await readModelJson(files, 'tokenizer.json', signal);
  // Files from before version 0.9 of tokenizers name no type; only WordPiece has this field.
  const model = tokenizer?.optionalObject('model');
  const kind =
    model?.optionalString('type') ??
    (model?.has('continuing_subword_prefix') === true ? 'WordPiece' : 'none');
  if (tokenizer === undefined || kind === 'WordPiece')
    return readWordPieceVocabulary(files, tokenizer, settings, size, signal);
  if (kind === 'Unigram') return readUnigramVocabulary(tokenizer, settings, size);
  throw unsupportedVocabulary(kind);
}
