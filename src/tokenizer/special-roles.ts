import type { Metadata } from '../gguf/metadata.ts';
import { tokenAttributes } from './token-attributes.ts';
import type { FillTokens } from './tokenizer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Ids of the tokens with a role; -1 where there is none. */
export interface SpecialRoles {
  readonly bosId: number;
  readonly eosId: number;
  readonly unknownId: number;
  readonly paddingId: number;
  readonly separatorId: number;
  readonly endIds: ReadonlySet<number>;
  readonly fill?: FillTokens;
}

/** Ids that a kind of vocabulary has where the metadata names none. */
export interface RoleDefaults {
  readonly bosId: number;
  readonly eosId: number;
  readonly unknownId: number;
  /** @default -1 */
  readonly paddingId?: number;
  /** @default -1 */
  readonly separatorId?: number;
}

/** Spellings that end a generation wherever they occur (llama.cpp `special_eog_ids`). */
const endTexts: readonly string[] = [
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|flush|>',
  '<|calls|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '</s>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
  '<turn|>',
  '<|tool_response>',
  '<｜end▁of▁sentence｜>',
  '[e~[',
];

interface FillRole {
  /** Metadata keys without `tokenizer.ggml.`; a later one wins. */
  readonly keys: readonly string[];
  readonly texts: readonly string[];
  /** Ends a generation as well. */
  readonly ends: boolean;
  /** Which of the three that a prompt needs. */
  readonly part?: keyof FillTokens;
}

/** Tokens of fill-in-the-middle prompts, which are control tokens even where the file says otherwise. */
const fillRoles: readonly FillRole[] = [
  {
    part: 'prefixId',
    keys: ['fim_pre_token_id', 'prefix_token_id'],
    texts: [
      '<|fim_prefix|>',
      '<fim-prefix>',
      '<fim_prefix>',
      '<｜fim▁begin｜>',
      '<PRE>',
      '▁<PRE>',
      '<|code_prefix|>',
      '<|prefix|>',
    ],
    ends: false,
  },
  {
    part: 'suffixId',
    keys: ['fim_suf_token_id', 'suffix_token_id'],
    texts: [
      '<|fim_suffix|>',
      '<fim-suffix>',
      '<fim_suffix>',
      '<｜fim▁hole｜>',
      '<SUF>',
      '▁<SUF>',
      '<|code_suffix|>',
      '<|suffix|>',
    ],
    ends: false,
  },
  {
    part: 'middleId',
    keys: ['fim_mid_token_id', 'middle_token_id'],
    texts: [
      '<|fim_middle|>',
      '<fim-middle>',
      '<fim_middle>',
      '<｜fim▁end｜>',
      '<MID>',
      '▁<MID>',
      '<|code_middle|>',
      '<|middle|>',
    ],
    ends: false,
  },
  {
    keys: ['fim_pad_token_id'],
    texts: ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
    ends: true,
  },
  {
    keys: ['fim_rep_token_id'],
    texts: ['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
    ends: true,
  },
  { keys: ['fim_sep_token_id'], texts: ['<|file_sep|>'], ends: true },
];

/** Tokens of the harmony format that are always written out (llama.cpp's rule for gpt-oss). */
const visibleTexts: readonly string[] = ['<|channel|>', '<|message|>', '<|start|>', '<|constrain|>'];

/**
 * Finds the tokens with a role and corrects the attributes of those that files get wrong, as llama.cpp's
 * `llama_vocab::impl::load` does.
 */
export function assignRoles(
  metadata: Metadata,
  vocabulary: Vocabulary,
  defaults: RoleDefaults,
): SpecialRoles {
  const named = (key: string, fallback: number): number => roleId(metadata, vocabulary, key, fallback);
  const bosId = named('bos_token_id', defaults.bosId);
  const eosId = named('eos_token_id', defaults.eosId);
  const endIds = new Set<number>();
  const fill: { -readonly [part in keyof FillTokens]?: number } = {};
  for (const role of fillRoles) {
    const id = role.keys.reduce((found, key) => named(key, found), -1);
    const effective = id === -1 ? markControl(vocabulary, role.texts, 1)[0] : id;
    if (role.ends && effective !== undefined) endIds.add(effective);
    if (role.part !== undefined && effective !== undefined) fill[role.part] = effective;
  }
  for (const id of markControl(vocabulary, endTexts, endTexts.length)) endIds.add(id);
  for (const text of visibleTexts) setAttribute(vocabulary, text, tokenAttributes.userDefined);
  for (const id of [eosId, named('eot_token_id', -1), named('eom_token_id', -1)]) {
    if (id !== -1) endIds.add(id);
  }
  releaseHarmonyEnd(vocabulary, endIds);
  releaseNormalSentenceEnd(vocabulary, endIds);
  return {
    bosId,
    eosId,
    unknownId: named('unknown_token_id', defaults.unknownId),
    paddingId: named('padding_token_id', defaults.paddingId ?? -1),
    // The key is misspelled in every file.
    separatorId: named('seperator_token_id', defaults.separatorId ?? -1),
    endIds,
    ...(isComplete(fill) ? { fill } : {}),
  };
}

function isComplete(fill: Partial<FillTokens>): fill is FillTokens {
  return fill.prefixId !== undefined && fill.suffixId !== undefined && fill.middleId !== undefined;
}

/** An id of the metadata that is a token; the fallback for any other. */
function roleId(metadata: Metadata, vocabulary: Vocabulary, key: string, fallback: number): number {
  const id = metadata.optionalNumber(`tokenizer.ggml.${key}`);
  if (id !== undefined && vocabulary.has(id)) return id;
  return vocabulary.has(fallback) ? fallback : -1;
}

/** The first `limit` tokens with one of the texts, made control tokens. */
function markControl(vocabulary: Vocabulary, texts: readonly string[], limit: number): readonly number[] {
  const ids = texts
    .map((text) => vocabulary.idOf(text))
    .filter((id) => id !== -1)
    .slice(0, limit);
  for (const id of ids)
    vocabulary.attributes[id] = (vocabulary.attributes[id] ?? 0) | tokenAttributes.control;
  return ids;
}

function setAttribute(vocabulary: Vocabulary, text: string, attribute: number): void {
  const id = vocabulary.idOf(text);
  if (id !== -1) vocabulary.attributes[id] = attribute;
}

/** `<|end|>` closes a message, not the answer, where a vocabulary has harmony's or Solar's own end tokens. */
function releaseHarmonyEnd(vocabulary: Vocabulary, endIds: Set<number>): void {
  const ends = (text: string): boolean => endIds.has(vocabulary.idOf(text));
  const calls = ends('<|call|>') || ends('<|calls|>');
  if (!ends('<|end|>') || !calls || !(ends('<|return|>') || ends('<|flush|>'))) return;
  endIds.delete(vocabulary.idOf('<|end|>'));
  setAttribute(vocabulary, '<|end|>', tokenAttributes.userDefined);
}

/** `</s>` is an HTML tag in the vocabularies of gemma 4 and PLaMo. */
function releaseNormalSentenceEnd(vocabulary: Vocabulary, endIds: Set<number>): void {
  const ends = (text: string): boolean => endIds.has(vocabulary.idOf(text));
  if (!ends('</s>') || !(ends('<|tool_response>') || ends('<|plamo:eos|>'))) return;
  endIds.delete(vocabulary.idOf('</s>'));
  setAttribute(vocabulary, '</s>', tokenAttributes.normal);
}
