import { unguard } from './guard-arguments.ts';
import { UsageError } from './usage-error.ts';

/** What cac hands to a command: flags by their names in camel case. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** A flag that was given, or not. */
export function booleanFlag(flags: FlagValues, name: string): boolean {
  const value = lastOf(flags[name]);
  return value === true;
}

/** All values of a flag that may be repeated. */
export function textFlags(flags: FlagValues, name: string): readonly string[] {
  const value = flags[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => unguard(String(item)));
}

/** The last value of a flag. */
export function textFlag(flags: FlagValues, name: string): string | undefined {
  return textFlags(flags, name).at(-1);
}

export interface NumberBounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly integer?: boolean;
}

/** The last value of a flag as a number. @throws {UsageError} for anything else */
export function numberFlag(flags: FlagValues, name: string, bounds: NumberBounds = {}): number | undefined {
  const text = textFlag(flags, name);
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, integer = false } = bounds;
  if (
    Number.isFinite(value) &&
    value >= minimum &&
    value <= maximum &&
    (!integer || Number.isSafeInteger(value))
  ) {
    return value;
  }
  const kind = integer ? 'a whole number' : 'a number';
  const range =
    (bounds.minimum === undefined ? '' : ` from ${minimum}`) +
    (bounds.maximum === undefined ? '' : ` up to ${maximum}`);
  throw new UsageError(`The flag --${dashed(name)} needs ${kind}${range}, found "${text}".`);
}

/** The last value of a flag that takes one of a few. @throws {UsageError} for anything else */
export function choiceFlag<T extends string>(
  flags: FlagValues,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textFlag(flags, name);
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`The flag --${dashed(name)} needs one of ${choices.join(', ')}, found "${text}".`);
}

function lastOf(value: unknown): unknown {
  return Array.isArray(value) ? value.at(-1) : value;
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
