import { probeCall } from './probe-template.ts';

/** Calls of one answer, taken apart. */
export interface CallSection {
  readonly open: string;
  /** One call without what stands around all of them. */
  readonly call: string;
  readonly separator: string;
  readonly close: string;
}

const lastValue = String(Object.values(probeCall.arguments).at(-1));

/** Finds what stands around all calls and between two of them, from an answer with one call and one with two. */
export function splitSection(single: string, double: string): CallSection | undefined {
  const nameStart = single.indexOf(probeCall.name);
  const before = single.slice(0, nameStart);
  const after = single.slice(endOf(single, lastValue, nameStart));
  const firstEnd = endOf(double, lastValue, 0);
  const second = double.indexOf(probeCall.name, firstEnd);
  if (nameStart < 0 || second < 0) return undefined;
  const between = double.slice(firstEnd, second);
  const alike = commonEnd(before, between);
  const callOpen = (alike === before ? alike : wholeTags(alike)).trimStart();
  const rest = between.slice(0, between.length - callOpen.length);
  const callClose = rest.slice(0, commonLength(after, rest));
  const open = before.slice(0, before.length - callOpen.length);
  const close = after.slice(callClose.length);
  return {
    open,
    call: single.slice(open.length, single.length - close.length),
    separator: rest.slice(callClose.length),
    close,
  };
}

/** How many characters two texts begin with alike. */
export function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}

function commonEnd(left: string, right: string): string {
  let length = 0;
  while (length < Math.min(left.length, right.length) && left.at(-1 - length) === right.at(-1 - length)) {
    length += 1;
  }
  return left.slice(left.length - length);
}

/** Two different tags may end alike: the text from where a tag, an object or a line begins. */
function wholeTags(text: string): string {
  const start = text.search(/[<[{\s]/);
  return start < 0 ? text : text.slice(start);
}

function endOf(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index < 0 ? text.length : index + part.length;
}
