import type { ToolFormat } from '../tool-format.ts';
import { escapePattern } from './escape-pattern.ts';
import { probeCall, probeText } from './probe-template.ts';

const [textKey = '', countKey = ''] = Object.keys(probeCall.arguments);
const count = String(Object.values(probeCall.arguments)[1]);

/**
 * The form in which each argument stands between texts of its own, judged by the words of an assistant that hold the
 * probe's call; undefined when they do not show one.
 */
export function analyseTaggedCall(words: string): ToolFormat | undefined {
  const parts = splitAt(words, [probeCall.name, textKey, probeText, countKey, count]);
  if (parts === undefined) return undefined;
  const [before = '', toKey = '', middle = '', between = '', secondMiddle = '', after = ''] = parts;
  if (middle.trim() === '' || middle !== secondMiddle) return undefined;
  const beforeKey = commonEnd(toKey, between).trimStart();
  const afterName = toKey.slice(0, toKey.length - beforeKey.length);
  const afterValue = between.slice(0, between.length - beforeKey.length);
  const valueEnd = afterValue.trim();
  if (beforeKey.trim() === '' || valueEnd === '' || !after.trimStart().startsWith(valueEnd)) return undefined;
  const rest = after.slice(after.indexOf(valueEnd) + valueEnd.length);
  const afterArguments = rest.trimStart();
  const open = /^\s*(<[^<>\s]+>?|\S+)/.exec(before)?.[1] ?? '';
  const end = /^(?:<[^<>]+>|\S+)/.exec(afterArguments)?.[0] ?? '';
  if (open === '' || end === '') return undefined;
  const close = afterArguments.slice(end.length).trim();
  const head = before.trimStart().slice(open.length).trim();
  return {
    name: 'from-template',
    writing: {
      sectionOpen: '',
      beforeName: before.trimStart(),
      afterName,
      arguments: { kind: 'tagged', beforeKey, afterKey: middle, afterValue, separator: '' },
      afterArguments,
      separator: '\n',
      sectionClose: '',
      parallel: true,
      triggers: [open],
    },
    reading: {
      opens: [open],
      closes: close === '' ? [] : [close],
      body: {
        kind: 'tagged',
        header: {
          until: [beforeKey.trim(), end],
          keepsEnd: true,
          pattern: new RegExp(
            `^\\s*${escapePattern(head)}\\s*([\\w.-]+)\\s*${escapePattern(afterName.trim())}\\s*$`,
          ),
        },
        parameters: {
          open: beforeKey.trim(),
          middle: middle.trim(),
          pattern: /^\s*([^<>]+?)\s*$/,
          close: valueEnd,
          end: [end],
          valueOnLines: middle.endsWith('\n') && afterValue.startsWith('\n'),
        },
      },
    },
  };
}

/** The texts around some others that follow each other. */
function splitAt(text: string, others: readonly string[]): string[] | undefined {
  const parts: string[] = [];
  let start = 0;
  for (const other of others) {
    const index = text.indexOf(other, start);
    if (index < 0) return undefined;
    parts.push(text.slice(start, index));
    start = index + other.length;
  }
  return [...parts, text.slice(start)];
}

function commonEnd(left: string, right: string): string {
  let length = 0;
  while (length < Math.min(left.length, right.length) && left.at(-1 - length) === right.at(-1 - length)) {
    length += 1;
  }
  const common = left.slice(left.length - length);
  // A closing text may end like what stands before the key: the key's own begins with its last tag.
  const tag = common.lastIndexOf('<');
  return tag > 0 ? common.slice(tag) : common;
}
