import { UsageError } from './usage-error.ts';

/** No terminal types this character, so it marks what must come through the parser as it was written. */
const guard = '\u0001';

/**
 * Prepares arguments for cac, whose parser turns values that look like numbers into numbers, takes
 * values with a leading dash for flags, and lets flags swallow the word behind them: every value and
 * every word after the command's name gets a guard character. {@link unguard} takes it off again.
 * @throws {UsageError} when a flag that needs a value is the last argument
 */
export function guardArguments(words: readonly string[], valueFlags: ReadonlySet<string>): string[] {
  const result: string[] = [];
  let isCommandSeen = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') {
      result.push(...words.slice(index + 1).map((rest) => guard + rest));
      break;
    }
    const [, flag, value] = /^(--[^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (flag !== undefined && valueFlags.has(flag)) {
      const given = value ?? words[++index];
      if (given === undefined) throw new UsageError(`The flag ${flag} needs a value.`);
      result.push(`${flag}=${guard}${given}`);
    } else if (word.startsWith('-') && word !== '-') {
      result.push(word);
    } else if (isCommandSeen) {
      result.push(guard + word);
    } else {
      isCommandSeen = true;
      result.push(word);
    }
  }
  return result;
}

/** The word as it was written. */
export function unguard(word: string): string {
  return word.startsWith(guard) ? word.slice(guard.length) : word;
}
