import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import { type JsonFields, readModelJson, readModelText } from './json-fields.ts';
import type { ModelFiles } from './model-files.ts';

/** Numbers of `tokenizer.ggml.token_type`. */
const tokenTypes = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/** Roles of tokens, with the fields of tokenizer_config.json that name them and BERT's own spelling. */
const roles = [
  ['cls', 'cls_token', '[CLS]'],
  ['separator', 'sep_token', '[SEP]'],
  ['unknown', 'unk_token', '[UNK]'],
  ['padding', 'pad_token', '[PAD]'],
  ['mask', 'mask_token', '[MASK]'],
] as const;

type Role = (typeof roles)[number][0];

/** A WordPiece vocabulary in the spelling of GGUF files. */
export interface WordPieceVocabulary {
  /** (nTokens) beginnings of words carry `▁`, the others nothing. */
  readonly texts: readonly string[];
  /** (nTokens) numbers of `tokenizer.ggml.token_type`. */
  readonly types: readonly number[];
  readonly roleIds: ReadonlyMap<Role, number>;
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  /** What the model asks for and the format cannot say. */
  readonly warnings: readonly string[];
}

const continuation = '##';
const wordMark = '\u2581';

/** More than any vocabulary in use, and a bound for what a config may ask to pad. */
const maximumTokens = 2 ** 21;

interface NamedToken {
  readonly id: number;
  readonly text: string;
  /** A token that is matched in texts as it is; absent for a piece of a word. */
  readonly added?: 'special' | 'plain';
}

/**
 * Reads the vocabulary from `tokenizer.json`, else from `vocab.txt`.
 * @param size tokens of the embedding table; ids without a token become unused ones
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`
 */
export async function readWordPieceVocabulary(
  files: ModelFiles,
  size: number,
  signal?: AbortSignal,
): Promise<WordPieceVocabulary> {
  const settings = await readModelJson(files, 'tokenizer_config.json', signal);
  const tokenizer = await readModelJson(files, 'tokenizer.json', signal);
  const names = new Map(roles.map(([role, field, usual]) => [role, tokenName(settings, field) ?? usual]));
  const tokens = tokenizer === undefined ? await readList(files, names, signal) : readTokenizer(tokenizer);
  const { texts, types, ids } = arrange(tokens, size);
  const normalizer = readNormalizer(tokenizer?.optionalObject('normalizer'), settings);
  return {
    texts,
    types,
    roleIds: new Map(
      Array.from(names).flatMap(([role, text]) => {
        const id = ids.get(text);
        return id === undefined ? [] : [[role, id] as const];
      }),
    ),
    ...normalizer,
  };
}

/** A token that settings give as text, or as an object that holds it. */
function tokenName(settings: JsonFields | undefined, field: string): string | undefined {
  if (settings === undefined || !settings.has(field)) return undefined;
  try {
    return settings.optionalString(field);
  } catch {
    return settings.optionalObject(field)?.optionalString('content');
  }
}

function readTokenizer(tokenizer: JsonFields): readonly NamedToken[] {
  const model = tokenizer.optionalObject('model');
  const type = model?.optionalString('type');
  const prefix = model?.optionalString('continuing_subword_prefix') ?? continuation;
  const vocabulary = type === 'WordPiece' ? model?.optionalObject('vocab') : undefined;
  if (vocabulary === undefined || prefix !== continuation) {
    throw new RivuletError(
      'TOKENIZER_UNSUPPORTED',
      `Expected a WordPiece vocabulary with "${continuation}" before parts of words in "tokenizer.json", found ${type === 'WordPiece' ? `the prefix ${quoted(prefix)}` : `the kind ${quoted(String(type))}`}. Convert the model with llama.cpp's converter.`,
      { details: { kind: String(type) } },
    );
  }
  const pieces = Array.from(vocabulary.names(), (text) => ({ id: vocabulary.count(text), text }));
  const added = (tokenizer.optionalObjects('added_tokens') ?? []).map((token): NamedToken => {
    const special = token.optionalBoolean('special') === true;
    return { id: token.count('id'), text: token.string('content'), added: special ? 'special' : 'plain' };
  });
  const replaced = new Set(added.map(({ id }) => id));
  return [...pieces.filter(({ id }) => !replaced.has(id)), ...added];
}

/** One token per line, its number the id. */
async function readList(
  files: ModelFiles,
  names: ReadonlyMap<Role, string>,
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
  const special = new Set(names.values());
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, id): NamedToken =>
    special.has(line) ? { id, text: line, added: 'special' } : { id, text: line },
  );
}

/** The tokens in the order of their ids, in the spelling of GGUF. */
function arrange(
  tokens: readonly NamedToken[],
  size: number,
): { texts: string[]; types: number[]; ids: Map<string, number> } {
  if (size > maximumTokens) throw invalid(`a table of ${size} tokens`, `at most ${maximumTokens}`);
  const texts = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = Array<number>(size).fill(tokenTypes.unused);
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  for (const { id, text, added } of tokens) {
    if (id >= size) throw invalid(`a token ${quoted(text)} with the id ${id}`, `ids below ${size}`);
    if (taken.has(id)) throw invalid(`the id ${id} twice`, 'each id once');
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
): Pick<WordPieceVocabulary, 'lowercase' | 'stripAccents' | 'warnings'> {
  const lowercase =
    normalizer?.optionalBoolean('lowercase') ?? settings?.optionalBoolean('do_lower_case') ?? true;
  const ideographs =
    normalizer?.optionalBoolean('handle_chinese_chars') ??
    settings?.optionalBoolean('tokenize_chinese_chars') ??
    true;
  return {
    lowercase,
    stripAccents:
      normalizer?.optionalBoolean('strip_accents') ?? settings?.optionalBoolean('strip_accents') ?? lowercase,
    warnings: ideographs
      ? []
      : ['The model keeps ideographs inside words, but readers of GGUF files always split them off.'],
  };
}

function invalid(found: string, expected: string): RivuletError {
  return new RivuletError(
    'TOKENIZER_INVALID',
    `Expected ${expected} in the vocabulary, found ${found}. Vocabulary and weights do not belong together; download the model again.`,
  );
}
