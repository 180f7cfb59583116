import type { CallBody } from '../tool-format.ts';
import type { CallContext } from './call-context.ts';
import { peekLiteral, readComma, readLiteral, readPlainString, readWhole } from './read-literal.ts';
import type { Reading } from './text-reader.ts';

type ObjectBody = CallBody & { kind: 'object' };

/** Keys beside name and arguments that models write into calls. */
const otherKeys: ReadonlySet<string> = new Set([
  'type',
  'function',
  'id',
  'index',
  'call_id',
  'tool_call_id',
]);

/** Reads one object, or a list of them, of which each is a call. False when something here is none. */
export function* readObjectCalls(
  context: CallContext,
  readOne: (context: CallContext) => Reading<boolean>,
): Reading<boolean> {
  const { reader } = context;
  const kind = yield* peekLiteral(reader);
  if (kind === 'object') return yield* readOne(context);
  if (kind !== 'list') return false;
  reader.position += 1;
  for (;;) {
    if ((yield* peekLiteral(reader)) !== 'object' || !(yield* readOne(context))) return false;
    if (!(yield* readComma(reader, ']'))) return true;
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === ']') break;
  }
  reader.position += 1;
  return true;
}

/** `{"name": …, "arguments": {…}}` in any order of keys, other keys passed over. */
export function* readObjectCall(context: CallContext, body: ObjectBody): Reading<boolean> {
  const { reader } = context;
  let name: string | undefined;
  /** Arguments that came before the name. */
  let early: string | undefined;
  let isComplete = false;
  let hasUnknown = false;
  /** The model repeats what it was told of a tool. */
  let isDefinition = false;
  reader.position += 1;
  for (;;) {
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === '}') break;
    const key = yield* readPlainString(reader);
    yield* reader.skipSpace();
    if (key === undefined || (yield* reader.take([':'])) === undefined) {
      return isComplete && (yield* leave(context));
    }
    const isKnown = body.nameKeys.includes(key) || body.argumentsKeys.includes(key) || otherKeys.has(key);
    // A key that no call has shows an answer in JSON early.
    if (!isKnown && context.needsArguments) return isComplete && (yield* leave(context));
    hasUnknown ||= !isKnown;
    isDefinition ||= key === 'description';
    const kind = yield* peekLiteral(reader);
    if (isComplete) {
      if (!(yield* readLiteral(reader, ignore))) return yield* leave(context);
    } else if (name === undefined && body.nameKeys.includes(key) && kind === 'string') {
      name = yield* readPlainString(reader);
      if (name === undefined || !context.start(name)) return false;
      if (early !== undefined) {
        context.writeInput(early);
        context.complete();
        isComplete = true;
      }
    } else if (body.argumentsKeys.includes(key)) {
      if (isDefinition && key === 'parameters') return false;
      let collected = '';
      const collect = (json: string): void => {
        collected += json;
      };
      if (!(yield* readArguments(context, name === undefined ? collect : context.writeInput))) return false;
      if (name === undefined) early = collected;
      else {
        context.complete();
        isComplete = true;
      }
    } else if (key === 'function' && kind === 'object' && name === undefined) {
      // OpenAI's own form, which models copy from what they have seen.
      if (!(yield* readObjectCall(context, body))) return false;
      isComplete = true;
    } else if (!(yield* readLiteral(reader, ignore))) return false;
    // A last brace that is missing takes nothing from the call.
    if (!(yield* readComma(reader, '}'))) return isComplete && (yield* leave(context));
  }
  reader.position += 1;
  if (isComplete) {
    context.settled = reader.at;
    return true;
  }
  // Under a key that nobody knows there may be arguments: then it is no call of none.
  if (name === undefined || context.needsArguments || hasUnknown) return false;
  context.writeInput('{}');
  context.complete();
  return true;
}

/** A complete call goes on in a way that none should: what is behind it is not part of it. */
function* leave(context: CallContext): Reading<true> {
  const { reader } = context;
  if ((yield* reader.peek()) !== '') reader.goTo(context.settled);
  return true;
}

/** `{"<name>": {…}}` */
export function* readEntryCall(context: CallContext): Reading<boolean> {
  const { reader } = context;
  reader.position += 1;
  const name = yield* readPlainString(reader);
  yield* reader.skipSpace();
  if (name === undefined || (yield* reader.take([':'])) === undefined) return false;
  if ((yield* peekLiteral(reader)) !== 'object' || !context.start(name)) return false;
  if (!(yield* readLiteral(reader, context.writeInput))) return false;
  context.complete();
  yield* reader.skipSpace();
  yield* reader.take(['}']);
  context.settled = reader.at;
  return true;
}

/** An object, a string that holds one, or null for none. */
function* readArguments(context: CallContext, write: (json: string) => void): Reading<boolean> {
  const { reader } = context;
  const kind = yield* peekLiteral(reader);
  if (kind === 'object') return yield* readLiteral(reader, write);
  if (kind === 'string') {
    const text = yield* readPlainString(reader);
    const json = text === undefined ? undefined : readWhole(text);
    if (json?.startsWith('{') !== true) return false;
    write(json);
    return true;
  }
  if ((yield* reader.take(['null'])) === undefined) return false;
  write('{}');
  return true;
}

function ignore(): void {
  // What the call does not need is read past.
}
