import { RivuletError } from '../errors.ts';

/**
 * Makes control tokens in untrusted text recognizable after a template has handled it: a mark, a noncharacter
 * that occurs nowhere else, goes into each of them before rendering; afterwards the places of the marks are the
 * offsets that no control token may span.
 */
export interface TextGuards {
  /** The mark, or nothing when no text needs one. */
  readonly mark: string | undefined;
  /** A text with marks in its control tokens. */
  guard(text: string): string;
  /** The text without marks, and their offsets in it, ascending. */
  remove(text: string): { readonly text: string; readonly guards: readonly number[] };
}

/** Unicode promises never to give these a meaning: U+FDD0–U+FDEF. */
const firstMark = 0xfd_d0;
const markCount = 32;

/** JSON deeper than this is refused by the template itself. */
const maximumDepth = 256;

interface Branch {
  readonly next: Map<string, Branch>;
  isEnd: boolean;
}

/** Prepares the search for `controlTexts`; what comes back makes guards for the values of one rendering. */
export function prepareGuards(
  controlTexts: readonly string[],
): (guarded: unknown, others: unknown) => TextGuards {
  const root: Branch = { next: new Map(), isEnd: false };
  for (const control of controlTexts) {
    let branch = root;
    for (const character of control) {
      let next = branch.next.get(character);
      if (next === undefined) {
        next = { next: new Map(), isEnd: false };
        branch.next.set(character, next);
      }
      branch = next;
    }
    // One character has no inside that a guard could keep apart.
    if (branch !== root) branch.isEnd = true;
  }

  return (guarded, others) => {
    const used = new Set<number>();
    let isNeeded = false;
    forEachText(guarded, (text) => {
      isNeeded ||= insertMarks(root, text, '\u{fdd0}') !== text;
      noteMarks(text, used);
    });
    if (!isNeeded)
      return { mark: undefined, guard: (text) => text, remove: (text) => ({ text, guards: [] }) };
    forEachText(others, (text) => noteMarks(text, used));
    const mark = unusedMark(used);
    return {
      mark,
      guard: (text) => insertMarks(root, text, mark),
      remove: (text) => removeMarks(text, mark),
    };
  };
}

/**
 * A mark goes behind the first character of every control text, and of what may become one together with the
 * text that follows.
 */
function insertMarks(root: Branch, text: string, mark: string): string {
  let result = '';
  let copied = 0;
  for (let start = 0; start < text.length; start += 1) {
    const character = characterAt(text, start);
    let branch = root.next.get(character);
    if (branch === undefined) continue;
    let position = start + character.length;
    const behindFirst = position;
    while (branch !== undefined && !branch.isEnd && position < text.length) {
      const following = characterAt(text, position);
      branch = branch.next.get(following);
      position += following.length;
    }
    if (branch === undefined) continue;
    result += text.slice(copied, behindFirst) + mark;
    copied = behindFirst;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0);
}

function removeMarks(text: string, mark: string): { text: string; guards: number[] } {
  const guards: number[] = [];
  let result = '';
  let position = 0;
  for (let index = text.indexOf(mark); index >= 0; index = text.indexOf(mark, position)) {
    result += text.slice(position, index);
    if (guards.at(-1) !== result.length) guards.push(result.length);
    position = index + mark.length;
  }
  return { text: result + text.slice(position), guards };
}

function noteMarks(text: string, used: Set<number>): void {
  for (const [found] of text.matchAll(/[\u{fdd0}-\u{fdef}]/gu)) used.add(found.charCodeAt(0));
}

function unusedMark(used: ReadonlySet<number>): string {
  for (let code = firstMark; code < firstMark + markCount; code += 1) {
    if (!used.has(code)) return String.fromCharCode(code);
  }
  throw new RivuletError(
    'INVALID_ARGUMENT',
    'Expected at least one of the noncharacters U+FDD0 to U+FDEF to be unused, but the request contains all of them. Remove them from its texts.',
  );
}

function forEachText(value: unknown, visit: (text: string) => void, depth = 0): void {
  if (typeof value === 'string') visit(value);
  else if (typeof value === 'object' && value !== null && depth < maximumDepth) {
    if (Array.isArray(value)) {
      for (const item of value) forEachText(item, visit, depth + 1);
    } else {
      for (const [key, item] of Object.entries(value)) {
        visit(key);
        forEachText(item, visit, depth + 1);
      }
    }
  }
}
