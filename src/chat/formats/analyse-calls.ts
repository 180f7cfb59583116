import { readWhole } from '../output/read-literal.ts';
import type { ToolFormat } from '../tool-format.ts';
import { analyseTaggedCall } from './analyse-tagged-calls.ts';
import { escapePattern } from './escape-pattern.ts';
import { probeCall, probeText } from './probe-template.ts';
import type { TemplateProbes } from './probe-template.ts';

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
  const words = assistantWords(probes);
  if (words === undefined) return undefined;
  const parts = splitCall(words);
  if (parts === undefined) return analyseTaggedCall(words);
  const names = /(\[?)\s*\{\s*"(\w+)"\s*:\s*"$/.exec(parts.before);
  const keys = /^"\s*,\s*"(\w+)"\s*:\s*$/.exec(parts.between);
  return names === null || keys === null
    ? namedFormat(parts)
    : objectFormat(parts, { bracket: names[1] ?? '', nameKey: names[2] ?? '', argumentsKey: keys[1] ?? '' });
}

/** What the assistant says where it calls the probe's tool, without the end of its turn. */
function assistantWords({ call, result, prompt, text }: TemplateProbes): string | undefined {
  const rendered = call ?? result;
  if (rendered === undefined || prompt === undefined) return undefined;
  const value = rendered.lastIndexOf(probeText);
  // A prompt may end with more than what begins every turn of the assistant.
  const start = commonLength(rendered, prompt);
  if (value < 0 || rendered.lastIndexOf(probeCall.name, value) < start) return undefined;
  const turnEnd = text === undefined ? '' : text.slice(text.lastIndexOf(probeText) + probeText.length).trim();
  const end = turnEnd === '' ? -1 : rendered.indexOf(turnEnd, value);
  return rendered.slice(start, end < 0 ? undefined : end).trimEnd();
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
  const open = /^\s*([^\s\w]+[\w|:=▁｜]*[^\s\w]?)/.exec(before)?.[1] ?? '';
  const close = after.trim();
  if (open === '') return undefined;
  const head = before.trimStart().slice(open.length).trim();
  return {
    name: 'from-template',
    writing: {
      sectionOpen: '',
      beforeName: before.trimStart(),
      afterName: between,
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
            `^\\s*${escapePattern(head)}\\s*([\\w.-]+)\\s*${escapePattern(between.trim())}\\s*$`,
          ),
        },
      },
    },
  };
}

function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}
