import {
  anyCaseContractions,
  asianScripts,
  bloomWords,
  casedWords,
  cl100kWords,
  deepseek3Tail,
  deepseek3Words,
  deepseekLetters,
  gpt2,
  han,
  hanAndHangul,
  hanAndKana,
  llama3,
  qwen2,
  spaceTail,
  symbolsThenNewlines,
  uncasedWords,
} from './split-patterns.ts';
import {
  compileSplit,
  splitBeforeThousands,
  splitDigitGroups,
  splitNewlineRuns,
  type SplitRule,
} from './split-words.ts';

/** How a BPE vocabulary wants its text prepared: one row of llama.cpp's `tokenizer.ggml.pre` table. */
export interface PreTokenizer {
  /** Cuts the text into the words that merges never cross. */
  rules(): readonly SplitRule[];
  /** Symbols are bytes written in the byte-level alphabet; otherwise they are characters with `<0xXX>` fallback. @default true */
  readonly byteLevel?: false;
  /** Spaces are written as `▁`. @default false */
  readonly escapeSpaces?: true;
  /** A word that is a token is not merged from its parts. @default false */
  readonly ignoreMerges?: true;
  /** A run of newlines that is a token is not merged from its parts. @default false */
  readonly wholeNewlines?: true;
  /** A beginning token unless the metadata says otherwise. @default false */
  readonly addBos?: true;
  /** A beginning token whatever the metadata says. @default false */
  readonly forceBos?: true;
  /** No beginning token unless the metadata names one. @default false */
  readonly withoutDefaultBos?: true;
  /** Text from ids loses the space before punctuation. @default true */
  readonly cleanSpaces?: false;
}

/** Rules from patterns and functions, compiled on first use: a program opens one vocabulary, not sixty. */
function rulesOf(
  ...parts: readonly (string | ((text: string) => readonly string[]))[]
): () => readonly SplitRule[] {
  let compiled: readonly SplitRule[] | undefined;
  return () => (compiled ??= parts.map((part) => (typeof part === 'string' ? compileSplit(part) : part)));
}

const digit = String.raw`\p{N}`;
const upToThreeDigits = String.raw`\p{N}{1,3}`;
const gpt2Rules = rulesOf(gpt2);
const llama3Rules = rulesOf(llama3);
const qwen2Rules = rulesOf(qwen2);
const digitThenGpt2Rules = rulesOf(digit, gpt2);
const deepseek3Rules = rulesOf(upToThreeDigits, hanAndKana, deepseek3Words(deepseek3Tail));
const gpt4oRules = rulesOf(casedWords(String.raw`\p{L}`, `(?:${anyCaseContractions})?`, upToThreeDigits));
const newlineRules = rulesOf(splitNewlineRuns);

/** What a file without or with an unknown `tokenizer.ggml.pre` gets. */
export const defaultPreTokenizer: PreTokenizer = {
  rules: rulesOf(String.raw`[\p{P}$+<=>\^~|]+`, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'),
};

const llama3Like: PreTokenizer = { rules: llama3Rules, ignoreMerges: true, addBos: true };
const gpt2Like: PreTokenizer = { rules: gpt2Rules };
const gpt2Unclean: PreTokenizer = { rules: gpt2Rules, cleanSpaces: false };
const digitThenGpt2: PreTokenizer = { rules: digitThenGpt2Rules };
const qwen2Like: PreTokenizer = { rules: qwen2Rules, cleanSpaces: false };
const deepseek3Like: PreTokenizer = { rules: deepseek3Rules, cleanSpaces: false };
const gpt4oLike: PreTokenizer = { rules: gpt4oRules, cleanSpaces: false };
const glm4Like: PreTokenizer = { rules: llama3Rules, withoutDefaultBos: true, ignoreMerges: true };
const bailingLike: PreTokenizer = {
  rules: rulesOf(
    String.raw`'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|${symbolsThenNewlines}|\s*[\r\n]|\s+(?!\S)|\s+`,
  ),
  cleanSpaces: false,
};
const gemma4Like: PreTokenizer = {
  rules: newlineRules,
  byteLevel: false,
  escapeSpaces: true,
  wholeNewlines: true,
  forceBos: true,
};
const tinyAyaLike: PreTokenizer = {
  rules: rulesOf(splitDigitGroups, uncasedWords(upToThreeDigits)),
  cleanSpaces: false,
};

function named(row: PreTokenizer, ...names: readonly string[]): readonly (readonly [string, PreTokenizer])[] {
  return names.map((name) => [name, row]);
}

/** By `tokenizer.ggml.pre`: the table of llama.cpp's `llama_vocab::impl::load` and `llm_tokenizer_bpe`. */
export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map<string, PreTokenizer>([
  ['default', defaultPreTokenizer],
  ...named(
    llama3Like,
    'llama3',
    'llama-v3',
    'llama-bpe',
    'falcon3',
    'falcon-h1',
    'pixtral',
    'midm-2.0',
    'lfm2',
    'jina-v5-nano',
  ),
  ...named(
    gpt2Like,
    'gpt-2',
    'phi-2',
    'jina-es',
    'jina-de',
    'gigachat',
    'jina-v2-es',
    'jina-v2-de',
    'a.x-4.0',
    'mellum',
    'modern-bert',
    'jina-v1-en',
    'jina-v2-code',
    'roberta-bpe',
    'exaone4',
    'mpt',
    'olmo',
    'jais',
  ),
  ...named(gpt2Unclean, 'trillion', 'granite-docling'),
  ...named(digitThenGpt2, 'starcoder', 'refact', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'),
  ...named({ ...digitThenGpt2, cleanSpaces: false } as const, 'command-r', 'smollm'),
  ...named(qwen2Like, 'qwen2', 'deepseek-r1-qwen', 'kormo', 'f2llmv2', 'hunyuan', 'solar-open', 'grok-2'),
  ...named({ rules: qwen2Rules }, 'stablelm2', 'megrez'),
  ...named({ rules: llama3Rules }, 'dbrx', 'smaug-bpe'),
  ...named(deepseek3Like, 'deepseek-v3', 'hunyuan-dense', 'joyai-llm', 'hy_v4'),
  ...named(gpt4oLike, 'gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'),
  ...named(glm4Like, 'glm4', 'glm5'),
  ...named(bailingLike, 'bailingmoe', 'bailingmoe2', 'llada-moe'),
  ...named(gemma4Like, 'gemma4', 'granite-embed-multi-311m'),
  ...named(tinyAyaLike, 'tiny_aya', 'cohere2moe'),
  ['chatglm-bpe', { rules: llama3Rules, withoutDefaultBos: true }],
  ['minicpm5', { rules: rulesOf(upToThreeDigits, cl100kWords(String.raw`\p{N}+`)), ignoreMerges: true }],
  [
    'jais-2',
    {
      rules: rulesOf(
        String.raw`${anyCaseContractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|${symbolsThenNewlines}|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}`,
      ),
    },
  ],
  [
    'deepseek-llm',
    {
      // The look-behind keeps a long run of spaces before a word from being tried at each of its positions.
      rules: rulesOf(
        String.raw`[\r\n]`,
        String.raw`\s?[${deepseekLetters}]+`,
        String.raw`\s?[!-\/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3001\u3002]+`,
        String.raw`(?<!\s)\s+$`,
        hanAndHangul,
        String.raw`\p{N}+`,
      ),
      cleanSpaces: false,
    },
  ],
  [
    'deepseek-coder',
    {
      rules: rulesOf(String.raw`[\r\n]`, String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, hanAndHangul, digit),
      cleanSpaces: false,
    },
  ],
  [
    'spark2_5',
    {
      rules: rulesOf(upToThreeDigits, hanAndKana, deepseek3Words(String.raw`|[\r\n]`), digit),
      cleanSpaces: false,
    },
  ],
  [
    'youtu',
    {
      rules: rulesOf(
        String.raw`[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+`,
        uncasedWords(digit),
      ),
      cleanSpaces: false,
      ignoreMerges: true,
    },
  ],
  ['falcon', { rules: rulesOf(String.raw`[\p{P}$+<=>\^~|\x60]+`, gpt2, '[0-9][0-9][0-9]') }],
  ['sarvam-moe', { rules: newlineRules, byteLevel: false, escapeSpaces: true, cleanSpaces: false }],
  [
    'qwen35',
    {
      rules: rulesOf(
        String.raw`${anyCaseContractions}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaceTail}`,
      ),
      cleanSpaces: false,
    },
  ],
  ['poro-chat', { rules: rulesOf(bloomWords), cleanSpaces: false }],
  ['bloom', { rules: rulesOf(bloomWords) }],
  ['gpt3-finnish', { rules: rulesOf(bloomWords) }],
  ['viking', { rules: rulesOf(bloomWords, digit), cleanSpaces: false }],
  [
    'tekken',
    {
      rules: rulesOf(casedWords(String.raw`\p{L}`, '', digit)),
      cleanSpaces: false,
      ignoreMerges: true,
      addBos: true,
    },
  ],
  [
    'granite-embed-multi-97m',
    {
      rules: rulesOf(casedWords(String.raw`[\p{L}\p{M}]`, `(?:${anyCaseContractions})?`, upToThreeDigits)),
      cleanSpaces: false,
      ignoreMerges: true,
    },
  ],
  [
    'exaone-moe',
    {
      rules: rulesOf(
        String.raw`${anyCaseContractions}|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n\/]?|\s*[\r\n]|\s+(?!\S)|\s+`,
      ),
    },
  ],
  [
    'chameleon',
    {
      rules: rulesOf(
        '<sentinel:[0-9]+>',
        'IMGIMG[A-I]{1,4}Z',
        String.raw`[\t\n]|    |  `,
        digit,
        String.raw`[\p{P}!-\/:-@\[-\x60\{-~]`,
        gpt2,
      ),
      addBos: true,
      cleanSpaces: false,
    },
  ],
  ['superbpe', { rules: rulesOf(String.raw`\p{N}+`, splitBeforeThousands), cleanSpaces: false }],
  [
    'seed-coder',
    {
      rules: rulesOf(
        String.raw`${anyCaseContractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|${spaceTail}`,
      ),
      cleanSpaces: false,
    },
  ],
  [
    'kimi-k2',
    {
      // llama.cpp's hand-written splitter, which unlike Kimi's own pattern does not look at letter case.
      rules: rulesOf(
        String.raw`[${han}]+|[^\r\n\p{L}\p{N}]?(?:(?![${han}])\p{L})+(?:${anyCaseContractions})?|\p{N}{1,3}|${symbolsThenNewlines}|${spaceTail}`,
      ),
      cleanSpaces: false,
    },
  ],
  [
    'ufakzeka',
    {
      rules: rulesOf(String.raw`[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|${symbolsThenNewlines}|${spaceTail}`),
      cleanSpaces: false,
    },
  ],
  [
    'afmoe',
    {
      rules: rulesOf(splitDigitGroups, asianScripts, deepseek3Words(deepseek3Tail)),
      cleanSpaces: false,
    },
  ],
  ['laguna', { rules: rulesOf(splitNewlineRuns, qwen2), cleanSpaces: false }],
  ['whitespace', { rules: rulesOf(String.raw`\S+`), byteLevel: false }],
]);
