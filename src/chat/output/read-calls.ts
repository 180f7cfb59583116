import type { ToolReading } from '../tool-format.ts';
import type { CallContext } from './call-context.ts';
import { readBraceCall } from './read-brace-calls.ts';
import { readElementCall } from './read-element-calls.ts';
import { readNamedCall } from './read-named-calls.ts';
import { readEntryCall, readObjectCall, readObjectCalls } from './read-object-calls.ts';
import { readPythonCalls } from './read-python-calls.ts';
import { readTaggedCall } from './read-tagged-calls.ts';
import type { Reading } from './text-reader.ts';

/**
 * Reads the calls behind an opening text and the closing texts behind them. False when what stands here is no call,
 * or goes on as none; {@link CallContext.settled} tells how far everything has become events.
 */
export function* readCalls(context: CallContext, reading: ToolReading): Reading<boolean> {
  const { reader } = context;
  for (let count = 0; ; count += 1) {
    // A call may have an opening of its own inside that of all calls.
    yield* skipTexts(context, reading.opens);
    yield* reader.skipSpace();
    if (count > 0 && !(yield* mayBegin(context, reading))) return true;
    if (!(yield* readBody(context, reading))) return false;
    const isClosed = yield* skipTexts(context, reading.closes);
    if (isCutMarker(context, reading) || isClosed) return true;
    // Objects follow each other in one section, some models put a comma or a semicolon between them.
    yield* reader.skipSpace();
    if (reading.body.kind === 'object') yield* reader.take([';', ',']);
  }
}

/** Whether another call begins here without an opening; otherwise what was passed over is text again. */
function* mayBegin(context: CallContext, reading: ToolReading): Reading<boolean> {
  const { reader } = context;
  if (reading.body.kind === 'object' && (yield* reader.peek()) === '{') return true;
  reader.goTo(context.settled);
  return false;
}

/** Whether the output ends within a text that would have followed; it is read past. */
function isCutMarker({ reader }: CallContext, reading: ToolReading): boolean {
  if (!reader.ended) return false;
  const rest = reader.text.slice(reader.position).trim();
  const isCut = [...reading.closes, ...reading.opens].some((text) => text.startsWith(rest));
  if (isCut) reader.position = reader.text.length;
  return isCut;
}

function* readBody(context: CallContext, { body }: ToolReading): Reading<boolean> {
  switch (body.kind) {
    case 'object':
      return yield* readObjectCalls(context, (one) => readObjectCall(one, body));
    case 'entry':
      return yield* readObjectCalls(context, readEntryCall);
    case 'named':
      return yield* readNamedCall(context, body);
    case 'tagged':
      return yield* readTaggedCall(context, body);
    case 'python':
      return yield* readPythonCalls(context);
    case 'braces':
      return yield* readBraceCall(context, body);
    case 'elements':
      return yield* readElementCall(context, body);
  }
}

/** Reads past these texts and the white space between them; whether there was one. */
function* skipTexts(context: CallContext, texts: readonly string[]): Reading<boolean> {
  const { reader } = context;
  let isFound = false;
  for (;;) {
    const start = reader.position;
    yield* reader.skipSpace();
    if ((yield* reader.take(texts)) === undefined) {
      reader.position = start;
      return isFound;
    }
    isFound = true;
  }
}
