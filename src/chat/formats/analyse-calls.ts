import { readWhole } from '../output/read-literal.ts';
import { idPlaceholder } from '../tool-format.ts';
import type { ToolFormat } from '../tool-format.ts';
import { analyseTaggedCall } from './analyse-tagged-calls.ts';
import { escapePattern } from './escape-pattern.ts';
import { probeCall, probeResult, probeText } from './probe-template.ts';
import type { TemplateProbes } from './probe-template.ts';
import { commonLength, splitSection } from './split-section.ts';
import type { CallSection } from './split-section.ts';

/** Less than this in common does not show where a turn ends when more of the conversation follows. */
const shortestEnd = 4;

/** Stands for an id while a call is taken apart; no template contains it. */
const idMark = '\u{1}';

/** A call cut into its parts. */
interface CallParts {
  /** From the beginning of the assistant's words up to the name. */
  readonly before: string;
  /** From the name up to the arguments. */
  readonly between: string;
  readonly arguments: string;
  /** From the arguments up to the end of the turn. */
  readonly after: string;
}

/**
 * The form in which a template writes a call: JSON arguments in an object with the name, or behind a name between
 * texts, or arguments in tags. Undefined for anything else.
 */
export function analyseCalls(probes: TemplateProbes): ToolFormat | undefined {
  const single = assistantWords(probes, probes.call ?? probes.result);
  if (single === undefined) return undefined;
  const double = assistantWords(probes, probes.calls);
  const section = double === undefined ? undefined : splitSection(single, double);
  const format = analyseCall(section?.call ?? single);
  if (format === undefined) return undefined;
  if (section === undefined) return { ...format, writing: { ...format.writing, parallel: false } };
  return withSection(format, section);
}

function analyseCall(words: string): ToolFormat | undefined {
  const parts = splitCall(words);
  if (parts === undefined) return analyseTaggedCall(words);
  const names = /(\[?)\s*\{\s*"(\w+)"\s*:\s*"$/.exec(parts.before);
  const keys = /^"\s*,\s*"(\w+)"\s*:\s*$/.exec(parts.between);
  return names === null || keys === null
    ? namedFormat(parts)
    : objectFormat(parts, { bracket: names[1] ?? '', nameKey: names[2] ?? '', argumentsKey: keys[1] ?? '' });
}

/** The form of one call with what stands around all of an answer. */
function withSection(format: ToolFormat, section: CallSection): ToolFormat {
  const { writing, reading } = format;
  const { separator } = section;
  if (section.open === '' && section.close === '') {
    return { ...format, writing: { ...writing, separator } };
  }
  // The reader of objects reads lists of them by itself.
  const open = section.open.trim().replace(/\s*\[$/, '');
  const closes = section.close.replace(/^\s*\]/, '').match(/<[^<>]+>|\S+/g) ?? [];
  const opens = [open, ...reading.opens].filter((text) => text !== '');
  return {
    ...format,
    writing: {
      ...writing,
      sectionOpen: section.open.trimStart() + writing.sectionOpen,
      separator,
      sectionClose: writing.sectionClose + section.close,
      triggers: opens.slice(0, 1),
    },
    reading: {
      ...(opens.length === 0 ? { bare: { first: ['[', '{'], anywhere: [] } } : {}),
      opens,
      closes: [...reading.closes, ...closes],
      body: reading.body,
    },
  };
}

/** What the assistant says where it calls the probe's tool, without the end of its turn. */
function assistantWords({ prompt, text }: TemplateProbes, rendered: string | undefined): string | undefined {
  if (rendered === undefined || prompt === undefined) return undefined;
  const value = rendered.lastIndexOf(probeText);
  // A prompt may end with more than what begins every turn of the assistant.
  const start = beginningOfTag(rendered, commonLength(rendered, prompt));
  if (value < 0 || rendered.lastIndexOf(probeCall.name, value) < start) return undefined;
  const next = text === undefined ? '' : text.slice(text.lastIndexOf(probeText) + probeText.length).trim();
  const words = rendered.slice(start).trimEnd();
  const result = words.indexOf(probeResult);
  // The turn ends with what stands between its words and the next turn.
  for (let end = value - start; end < words.length; end += 1) {
    const rest = words.slice(end);
    if (next.startsWith(rest) || (result > end && commonLength(rest, next) > shortestEnd)) {
      return withoutThoughts(words.slice(0, end).trimEnd());
    }
  }
  return withoutThoughts(words);
}

/** A prompt may end with another tag that begins like the first of the call. */
function beginningOfTag(text: string, index: number): number {
  const tag = text.lastIndexOf('<', index - 1);
  return tag < 0 || /[>\s]/.test(text.slice(tag, index)) ? index : tag;
}

/** Without an empty block of thoughts, and with a mark for the ids of calls. */
function withoutThoughts(words: string): string {
  return words
    .replace(/^\s*(?:<([\w:]*think\w*)>\s*)?<\/[\w:]*think\w*>\s*/, '')
    .replaceAll(/call0000\d/g, idMark);
}

function splitCall(words: string): CallParts | undefined {
  const value = words.indexOf(probeText);
  const name = words.lastIndexOf(probeCall.name, value);
  const nameEnd = name + probeCall.name.length;
  const open = words.indexOf('{', nameEnd);
  if (open < 0 || open > value) return undefined;
  const close = words.indexOf('}', value);
  const json = words.slice(open, close + 1);
  if (close < 0 || readWhole(json) === undefined) return undefined;
  return {
    before: words.slice(0, name),
    between: words.slice(nameEnd, open),
    arguments: json,
    after: words.slice(close + 1),
  };
}

function objectFormat(
  { before, between, after }: CallParts,
  { bracket, nameKey, argumentsKey }: { bracket: string; nameKey: string; argumentsKey: string },
): ToolFormat {
  const object = before.lastIndexOf('{');
  const isList = bracket !== '';
  const opening = before.slice(0, isList ? before.lastIndexOf('[', object) : object);
  const objectEnd = after.indexOf('}') + 1;
  const closing = after
    .slice(objectEnd)
    .trim()
    .replace(isList ? /^\]/ : /^/, '');
  const open = opening.trim();
  const close = closing.trim();
  return {
    name: 'from-template',
    writing: {
      sectionOpen: isList ? before.slice(0, object).trimStart() : '',
      beforeName: isList ? before.slice(object) : before.trimStart(),
      afterName: between,
      arguments: { kind: 'json' },
      afterArguments: isList ? after.slice(0, objectEnd) : after,
      separator: isList ? ', ' : '\n',
      sectionClose: isList ? after.slice(objectEnd) : '',
      parallel: true,
      triggers: open === '' ? [] : [open],
    },
    reading: {
      opens: open === '' ? [] : [open],
      closes: close === '' ? [] : [close],
      ...(open === '' ? { bare: { first: ['{', '['], anywhere: [] } } : {}),
      body: { kind: 'object', nameKeys: [nameKey], argumentsKeys: [argumentsKey] },
    },
  };
}

function namedFormat({ before, between, after }: CallParts): ToolFormat | undefined {
  // The first tag opens the call; what stands between it and the name belongs to its head.
  const open = /^\s*(<[^<>\s]+>?|\[\w+\]|[^\s\w]+[\w|:=▁｜]*[^\s\w]?)/.exec(before)?.[1] ?? '';
  const close = after.trim();
  if (open === '') return undefined;
  const head = before.trimStart().slice(open.length).trim();
  const withIds = (text: string): string => text.replaceAll(idMark, idPlaceholder);
  return {
    name: 'from-template',
    writing: {
      sectionOpen: '',
      beforeName: withIds(before.trimStart()),
      afterName: withIds(between),
      arguments: { kind: 'json' },
      afterArguments: after,
      separator: '\n',
      sectionClose: '',
      parallel: true,
      triggers: [open],
    },
    reading: {
      opens: [open],
      closes: close === '' ? [] : [close],
      body: {
        kind: 'named',
        header: {
          until: ['{'],
          keepsEnd: true,
          pattern: new RegExp(
            `^\\s*${loosePattern(head)}\\s*([\\w.-]+?)\\s*${loosePattern(between.trim())}\\s*$`,
          ),
        },
      },
    },
  };
}

/** A text in which ids and numbers may be others. */
function loosePattern(text: string): string {
  return escapePattern(text)
    .replaceAll(idMark, String.raw`[\w-]+`)
    .replaceAll(/\d+/g, String.raw`\d+`);
}
