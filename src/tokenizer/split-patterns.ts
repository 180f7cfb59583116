/*
 * Patterns that several pre-tokenizers share, in the notation of tokenizer.json files. They follow llama.cpp's
 * `llm_tokenizer_bpe` where it differs from the models' own files.
 */

const contractions = "'s|'t|'re|'ve|'m|'ll|'d";
/** English contractions in either case; without `(?i:…)`, which would let U+017F be an s. */
export const anyCaseContractions: string = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
/** White space: up to the last newline, else all but the space before a word. */
export const spaceTail: string = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
/** Symbols with one space before and newlines after them. */
export const symbolsThenNewlines: string = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`;
const punctuation = String.raw`[!"#$%&'()*+,\-.\/:;<=>?@\[\\\]^_\x60{|}~]`;

/** Words, numbers and symbols, each with one space before it. */
export const gpt2: string = String.raw`${contractions}| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** The cl100k shape, told apart by how many digits stay together. */
export function cl100kWords(digits: string): string {
  return String.raw`${anyCaseContractions}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}|${symbolsThenNewlines}|${spaceTail}`;
}
/** cl100k with up to three digits together. */
export const llama3: string = cl100kWords(String.raw`\p{N}{1,3}`);
/** cl100k with single digits. */
export const qwen2: string = cl100kWords(String.raw`\p{N}`);
/** The o200k shape: a new word where upper case follows lower case, of `letters` outside ASCII both. */
export function casedWords(letters: string, suffix: string, digits: string): string {
  const upper = String.raw`(?:(?=${letters})[^a-z])`;
  const lower = String.raw`(?:(?=${letters})[^A-Z])`;
  const lead = String.raw`[^\r\n\p{L}\p{N}]?`;
  return String.raw`${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n\/]*|${spaceTail}`;
}
/** The reference knows no letter case in these patterns: its classes `\p{Lu}`, `\p{Ll}` … are all letters. */
export function uncasedWords(digits: string): string {
  return String.raw`[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:${anyCaseContractions})?|${digits}| ?[^\s\p{L}\p{N}]+[\r\n\/]*|${spaceTail}`;
}

/** DeepSeek V3's words; `afterSymbols` follows a run of symbols. */
export function deepseek3Words(afterSymbols: string): string {
  return String.raw`${punctuation}[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+${afterSymbols}|\s+(?!\S)|\s+`;
}
/** What DeepSeek V3 itself has after a run of symbols. */
export const deepseek3Tail: string = String.raw`[\r\n]*|\s*[\r\n]+`;
/** Runs of Chinese characters and Japanese syllables. */
export const hanAndKana: string = String.raw`[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+`;
/** Runs of Chinese and Korean. The range has white space in it, which the reference takes out of the text for patterns without `\p{…}`. */
export const hanAndHangul: string = String.raw`(?:(?!\s)[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff])+`;
/** Words of BLOOM: up to white space or a full stop or comma of several scripts. */
export const bloomWords: string = String.raw` ?[^(\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+`;
/** The blocks of llama.cpp `unicode_cpt_is_han`. */
export const han: string = String.raw`\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ebef}\u{2f800}-\u{2fa1f}`;
/** Cased letters of DeepSeek's own list. */
export const deepseekLetters: string = String.raw`A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}`;
/** Scripts that Arcee's tokenizer keeps apart from the rest. */
export const asianScripts: string = String.raw`[\u4e00-\u9fff\u3400-\u4dbf\u8c48-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+`;
