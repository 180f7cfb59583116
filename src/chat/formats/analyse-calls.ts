import { readWhole } from '../output/read-literal.ts';
import type { ToolFormat } from '../tool-format.ts';
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
 * texts. Undefined for anything else.
 */
export function analyseCalls(probes: TemplateProbes): ToolFormat | undefined {
  const parts = splitCall(probes);
  if (parts === undefined) return undefined;
  const names = /(\[?)\s*\{\s*"(\w+)"\s*:\s*"$/.exec(parts.before);
  const keys = /^"\s*,\s*"(\w+)"\s*:\s*$/.exec(parts.between);
  return names === null || keys === null
    ? namedFormat(parts)
    : objectFormat(parts, { bracket: names[1] ?? '', nameKey: names[2] ?? '', argumentsKey: keys[1] ?? '' });
}

function splitCall({ call, result, prompt, text }: TemplateProbes): CallParts | undefined {
  const rendered = call ?? result;
  if (rendered === undefined || prompt === undefined) return undefined;
  const value = rendered.lastIndexOf(probeText);
  const name = rendered.lastIndexOf(probeCall.name, value);
  // A prompt may end with more than what begins every turn of the assistant.
  const start = commonLength(rendered, prompt);
  if (value < 0 || name < start) return undefined;
  const nameEnd = name + probeCall.name.length;
  const open = rendered.indexOf('{', nameEnd);
  if (open < 0 || open > value) return undefined;
  const close = rendered.indexOf('}', value);
  const json = rendered.slice(open, close + 1);
  if (close < 0 || readWhole(json) === undefined) return undefined;
  const turnEnd = text === undefined ? '' : text.slice(text.lastIndexOf(probeText) + probeText.length).trim();
  const rest = rendered.slice(close + 1);
  const end = turnEnd === '' ? -1 : rest.indexOf(turnEnd);
  return {
    before: rendered.slice(start, name),
    between: rendered.slice(nameEnd, open),
    arguments: json,
    after: (end < 0 ? rest : rest.slice(0, end)).trimEnd(),
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

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
