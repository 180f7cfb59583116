import type { CallBody } from '../tool-format.ts';
import { allowedTypes, argumentSchema } from './argument-types.ts';
import { maximumHeaderLength } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { escapeText } from './read-literal.ts';
import type { Reading } from './text-reader.ts';
import { toJson } from './write-argument.ts';

/** As in read-literal.ts. */
const maximumDepth = 128;

/** `call:name{key:value,…}` with strings between marks of the vocabulary, as Gemma writes it. */
export function* readBraceCall(context: CallContext, body: CallBody & { kind: 'braces' }): Reading<boolean> {
  const { reader } = context;
  const head = yield* reader.readHead(['{'], maximumHeaderLength);
  const name = /^\s*(?:call:)?\s*([\w.-]+)\s*$/.exec(head?.text ?? '')?.[1];
  if (name === undefined || !context.start(name)) return false;
  reader.position -= 1;
  if (!(yield* readBraceObject(context, body.quotes, name, 0))) return false;
  context.complete();
  return true;
}

function* readBraceObject(
  context: CallContext,
  quotes: readonly string[],
  toolName: string,
  depth: number,
): Reading<boolean> {
  const { reader } = context;
  reader.position += 1;
  context.writeInput('{');
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === '}') break;
    const quote = yield* reader.take(quotes);
    const key = yield* reader.readHead(quote === undefined ? [':'] : [quote], maximumHeaderLength);
    if (key === undefined) return false;
    if (quote !== undefined) {
      yield* reader.skipSpace();
      if ((yield* reader.take([':'])) === undefined) return false;
    }
    const text = key.text.trim();
    context.writeInput(`${isFirst ? '' : ','}${JSON.stringify(text)}:`);
    const root = context.parametersOf(toolName);
    const types = depth === 0 ? allowedTypes(argumentSchema(root, text), root) : undefined;
    if (!(yield* readBraceValue(context, quotes, toolName, depth, types))) return false;
    yield* reader.skipSpace();
    const next = yield* reader.peek();
    if (next === ',') reader.position += 1;
    else if (next !== '}') return false;
  }
  reader.position += 1;
  context.writeInput('}');
  return true;
}

function* readBraceValue(
  context: CallContext,
  quotes: readonly string[],
  toolName: string,
  depth: number,
  types: ReadonlySet<string> | undefined,
): Reading<boolean> {
  const { reader } = context;
  if (depth > maximumDepth) return false;
  yield* reader.skipSpace();
  const quote = yield* reader.take(quotes);
  if (quote !== undefined) {
    context.writeInput('"');
    const end = yield* reader.readUntil([quote], (text) => context.writeInput(escapeText(text)));
    context.writeInput('"');
    return end !== undefined;
  }
  const character = yield* reader.peek();
  if (character === '{') return yield* readBraceObject(context, quotes, toolName, depth + 1);
  if (character === '[') return yield* readBraceList(context, quotes, toolName, depth + 1);
  // A number or a word; anything else is a string whose quotes were forgotten.
  const read = yield* reader.readHead([',', '}', ']'], maximumHeaderLength);
  if (read === undefined) return false;
  reader.position -= 1;
  context.writeInput(toJson(read.text.trim(), types));
  return true;
}

function* readBraceList(
  context: CallContext,
  quotes: readonly string[],
  toolName: string,
  depth: number,
): Reading<boolean> {
  const { reader } = context;
  reader.position += 1;
  context.writeInput('[');
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === ']') break;
    if (!isFirst) context.writeInput(',');
    if (!(yield* readBraceValue(context, quotes, toolName, depth, undefined))) return false;
    yield* reader.skipSpace();
    const next = yield* reader.peek();
    if (next === ',') reader.position += 1;
    else if (next !== ']') return false;
  }
  reader.position += 1;
  context.writeInput(']');
  return true;
}
