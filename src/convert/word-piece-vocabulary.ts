import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import type { WritableValue } from '../gguf/writable-value.ts';
import {
  addedTokens,
  type ConvertedVocabulary,
  findRoles,
  invalidVocabulary,
  requireTokenCount,
  roleTexts,
  tokenTypes,
  unsupportedVocabulary,
} from './converted-vocabulary.ts';
import { type JsonFields, readModelText } from './json-fields.ts';
import type { ModelFiles } from './model-files.ts';

const usualRoles = {
  cls: '[CLS]',
  separator: '[SEP]',
  unknown: '[UNK]',
  padding: '[PAD]',
  mask: '[MASK]',
} as const;

const continuation = '##';
const wordMark = '\u2581';

interface NamedToken {
  readonly id: number;
  readonly text: string;
  /** A token that is matched in texts as it is; absent for a piece of a word. */
  readonly added?: 'special' | 'plain';
}

/**
 * Reads a WordPiece vocabulary from `tokenizer.json`, else from `vocab.txt`.
 * @param size tokens of the embedding table; ids without a token become unused ones
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`
 */
export async function readWordPieceVocabulary(
  files: ModelFiles,
  tokenizer: JsonFields | undefined,
  settings: JsonFields | undefined,
  size: number,
  signal?: AbortSignal,
): Promise<ConvertedVocabulary> {
  const names = roleTexts(settings, usualRoles);
  const special = new Set(names.values());
  const tokens = tokenizer === undefined ? await readList(files, special, signal) : readTokenizer(tokenizer);
  const { texts, types, ids } = arrange(tokens, size);
  return {
    model: 'bert',
    texts,
    types,
    roleIds: findRoles(names, ids),
    doubleSeparator: false,
    ...readNormalizer(tokenizer?.optionalObject('normalizer'), settings),
  };
}

function readTokenizer(tokenizer: JsonFields): readonly NamedToken[] {
  const model = tokenizer.optionalObject('model');
  const prefix = model?.optionalString('continuing_subword_prefix') ?? continuation;
  const vocabulary = model?.optionalObject('vocab');
  if (vocabulary === undefined || prefix !== continuation)
    throw unsupportedVocabulary(`WordPiece with ${prefix}`);
  const pieces = Array.from(vocabulary.names(), (text) => ({ id: vocabulary.count(text), text }));
  const added = addedTokens(tokenizer).map(({ id, text, special }): NamedToken => ({
    id,
    text,
    added: special ? 'special' : 'plain',
  }));
  const replaced = new Set(added.map(({ id }) => id));
  return [...pieces.filter(({ id }) => !replaced.has(id)), ...added];
}

/** One token per line, its number the id. */
async function readList(
  files: ModelFiles,
  special: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<readonly NamedToken[]> {
  const text = await readModelText(files, 'vocab.txt', signal);
  if (text === undefined) {
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected a vocabulary ("tokenizer.json" or "vocab.txt") in ${files.name}, but none is there. Download the model again with all its files.`,
      { details: { path: 'vocab.txt' } },
    );
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, id): NamedToken =>
    special.has(line) ? { id, text: line, added: 'special' } : { id, text: line },
  );
}

/** The tokens in the order of their ids: beginnings of words carry `▁`, the others nothing. */
function arrange(
  tokens: readonly NamedToken[],
  size: number,
): { texts: string[]; types: number[]; ids: Map<string, number> } {
  requireTokenCount(size);
  const texts = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = Array<number>(size).fill(tokenTypes.unused);
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  for (const { id, text, added } of tokens) {
    if (id >= size) throw invalidVocabulary(`a token ${quoted(text)} with the id ${id}`, `ids below ${size}`);
    if (taken.has(id)) throw invalidVocabulary(`the id ${id} twice`, 'each id once');
    taken.add(id);
    ids.set(text, id);
    if (added !== undefined) {
      texts[id] = text;
      types[id] = added === 'special' ? tokenTypes.control : tokenTypes.userDefined;
    } else {
      texts[id] = text.startsWith(continuation) ? text.slice(continuation.length) : wordMark + text;
      types[id] = tokenTypes.normal;
    }
  }
  return { texts, types, ids };
}

function readNormalizer(
  normalizer: JsonFields | undefined,
  settings: JsonFields | undefined,
): Pick<ConvertedVocabulary, 'settings' | 'warnings'> {
  const lowercase =
    normalizer?.optionalBoolean('lowercase') ?? settings?.optionalBoolean('do_lower_case') ?? true;
  const stripAccents =
    normalizer?.optionalBoolean('strip_accents') ?? settings?.optionalBoolean('strip_accents') ?? lowercase;
  const ideographs =
    normalizer?.optionalBoolean('handle_chinese_chars') ??
    settings?.optionalBoolean('tokenize_chinese_chars') ??
    true;
  const flag = (name: string, value: boolean): readonly [string, WritableValue] => [
    `tokenizer.ggml.normalizer.${name}`,
    { type: 'bool', value },
  ];
  return {
    // Lower case without accents is what readers do where no key says otherwise.
    settings: [
      ...(lowercase ? [] : [flag('lowercase', false)]),
      ...(stripAccents === lowercase ? [] : [flag('strip_accents', stripAccents)]),
    ],
    warnings: ideographs
      ? []
      : ['The model keeps ideographs inside words, but readers of GGUF files always split them off.'],
  };
}
