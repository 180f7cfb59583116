import type { ReasoningFormat } from '../reasoning.ts';
import type { ChannelFormat, OutputFormat, ToolFormat, ToolReading } from '../tool-format.ts';
import type { CallContext } from './call-context.ts';
import { maximumHeaderLength } from './call-context.ts';
import { readCalls } from './read-calls.ts';
import { peekLiteral, readLiteral } from './read-literal.ts';
import type { Reading } from './text-reader.ts';

/** The parts of a format that one answer is read by. */
export interface AnswerFormat {
  readonly reasoning?: ReasoningFormat | undefined;
  readonly ignored: readonly string[];
  /** Texts that end a block of reasoning that was not closed, and are read again behind it. */
  readonly endsReasoning: readonly string[];
  readonly channels?: ChannelFormat | undefined;
  /** The forms of calls; none: nothing is a call. */
  readonly calls: readonly ToolReading[];
  readonly opens: readonly string[];
  readonly firstOpens: readonly string[];
  /** Texts that begin calls and are part of them: where an answer begins, and anywhere. */
  readonly bareFirst: readonly string[];
  readonly bareAnywhere: readonly string[];
}

/** Everything is text. */
export const plainText: AnswerFormat = {
  ignored: [],
  endsReasoning: [],
  calls: [],
  opens: [],
  firstOpens: [],
  bareFirst: [],
  bareAnywhere: [],
};

/** What an answer is read by; without tools no text is a call. */
export function answerFormat(format: OutputFormat, tools?: ToolFormat): AnswerFormat {
  const calls = tools === undefined ? [] : [tools.reading, ...(tools.alsoReads ?? [])];
  const hasChannels = format.channels !== undefined;
  const { open = '', close = '' } = (hasChannels ? undefined : format.answer) ?? {};
  const isText = (text: string): boolean => text !== '';
  return {
    reasoning: hasChannels ? undefined : format.reasoning,
    ignored: [open, close, ...(format.ignored ?? [])].filter(isText),
    endsReasoning: [
      open,
      ...calls.flatMap((reading) => (reading.endsReasoning === true ? reading.opens : [])),
    ].filter(isText),
    channels: format.channels,
    calls,
    opens: calls.flatMap((reading) => reading.opens),
    firstOpens: calls.flatMap((reading) => reading.firstOpens ?? []),
    bareFirst: calls.flatMap((reading) => reading.bare?.first ?? []),
    bareAnywhere: calls.flatMap((reading) => reading.bare?.anywhere ?? []),
  };
}

/** Reads everything that a model says; ends when the text ends. */
export function* readAnswer(
  context: CallContext,
  format: AnswerFormat,
  startsInReasoning: boolean,
): Reading<undefined> {
  if (startsInReasoning && format.reasoning !== undefined) {
    context.writer.closeBlock();
    yield* readReasoning(context, format, [format.reasoning.close]);
  }
  while ((yield* context.reader.peek()) !== '') {
    if (format.channels === undefined) yield* readPart(context, format);
    else yield* readMessage(context, format, format.channels);
    context.reader.forget();
  }
  return undefined;
}

/** Thoughts, calls or text, whichever stands here, up to the next marker. */
function* readPart(context: CallContext, format: AnswerFormat): Reading<undefined> {
  const { reader, writer } = context;
  const { reasoning, ignored, bareAnywhere } = format;
  const space = yield* readSpace(context);
  if (space !== '') writer.write('text', space);
  const isFirst = !writer.isInBlock;
  const markers = reasoning === undefined || !isFirst ? [] : [reasoning.open, reasoning.close];
  const opens = isFirst ? [...format.opens, ...format.firstOpens] : format.opens;
  const start = reader.at;
  const found = yield* reader.take([...markers, ...ignored, ...opens]);
  if (found === undefined) {
    const bare = yield* reader.match([...(isFirst ? format.bareFirst : []), ...bareAnywhere]);
    if (bare === undefined) yield* readText(context, format, []);
    else yield* readRegion(context, format, { start, marker: bare, isBare: true });
  } else if (opens.includes(found)) {
    yield* readRegion(context, format, { start, marker: found, isBare: false });
  } else {
    writer.closeBlock();
    if (found === reasoning?.open) yield* readReasoning(context, format, [reasoning.close]);
  }
  return undefined;
}

/** Text up to the next marker; none of reasoning, for once the answer has begun the model may write about it. */
function* readText(context: CallContext, format: AnswerFormat, ends: readonly string[]): Reading<undefined> {
  const { reader, writer } = context;
  const { opens, bareAnywhere } = format;
  const texts = [...ends, ...format.ignored, ...opens, ...bareAnywhere];
  writer.holdsSpace = texts.length > 0;
  for (;;) {
    const found = yield* reader.readUntil(texts, (text) => writer.write('text', text));
    if (found === undefined) return undefined;
    const start = reader.at - found.length;
    const isBare = bareAnywhere.includes(found);
    if (isBare) reader.goTo(start);
    else if (!opens.includes(found)) {
      writer.closeBlock();
      return undefined;
    }
    yield* readRegion(context, format, { start, marker: found, isBare });
    // Behind calls everything may come; a call that was none goes on as text.
    if (!writer.isInBlock) return undefined;
  }
}

function* readReasoning(
  context: CallContext,
  { endsReasoning }: AnswerFormat,
  ends: readonly string[],
): Reading<undefined> {
  const { reader, writer } = context;
  context.inReasoning = true;
  const texts = [...ends, ...endsReasoning];
  const found = yield* reader.readUntil(texts, (text) => writer.write('reasoning', text));
  if (found === undefined) return undefined;
  writer.closeBlock();
  context.inReasoning = false;
  if (!ends.includes(found)) reader.position -= found.length;
  return undefined;
}

/** Calls behind an opening text, or text if they are none. */
function* readRegion(
  context: CallContext,
  format: AnswerFormat,
  opening: { readonly start: number; readonly marker: string; readonly isBare: boolean },
): Reading<undefined> {
  const { reader } = context;
  const { start, marker, isBare } = opening;
  context.settled = start;
  reader.hold(start);
  let isCall = false;
  for (const reading of format.calls) {
    const { opens, firstOpens = [], bare = { first: [], anywhere: [] } } = reading;
    if (!(isBare ? [...bare.first, ...bare.anywhere] : [...opens, ...firstOpens]).includes(marker)) continue;
    context.needsArguments = isBare || reading.needsArguments === true;
    isCall = yield* readCalls(context, reading);
    break;
  }
  if (!isCall) failCall(context, start, marker);
  reader.release();
  return undefined;
}

/** What was read from `start` on is no call: it is text, unless the model had no room to end the call. */
function failCall(context: CallContext, start: number, marker: string): void {
  const { reader, writer } = context;
  const isBegun = writer.isInCall || context.settled > start;
  writer.giveUpCall();
  if (isBegun && reader.ended && context.isCut) {
    reader.position = reader.text.length;
  } else if (context.settled > start) {
    reader.goTo(context.settled);
  } else {
    reader.goTo(start + marker.length);
    writer.write('text', marker);
  }
}

/** One message with its head; the prompt or the end of the message before it has written how it starts. */
function* readMessage(
  context: CallContext,
  format: AnswerFormat,
  channels: ChannelFormat,
): Reading<undefined> {
  const { reader, writer } = context;
  const ends = [...channels.ends, channels.start];
  const start = reader.at;
  if ((yield* reader.take(ends)) !== undefined) {
    writer.closeBlock();
    return undefined;
  }
  const head = yield* readMessageHead(context, channels);
  if (head === undefined) {
    yield* readText(context, format, ends);
    return undefined;
  }
  const call = format.calls.length === 0 ? null : (channels.call?.exec(head) ?? null);
  if (call !== null) yield* readMessageCall(context, channels, call[1] ?? '', start);
  else if (channels.reasoning.test(head)) {
    writer.closeBlock();
    yield* readReasoning(context, format, ends);
  } else {
    writer.closeBlock();
    yield* readText(context, format, ends);
  }
  return undefined;
}

/** The head of a message; nothing, and nothing read, where text stands without one. */
function* readMessageHead(context: CallContext, channels: ChannelFormat): Reading<string | undefined> {
  const { reader } = context;
  const start = reader.position;
  if (channels.begins !== undefined && (yield* reader.match(channels.begins)) === undefined) return undefined;
  const head = yield* reader.readHead([channels.message], maximumHeaderLength);
  if (head !== undefined && channels.head.test(head.text)) return head.text;
  reader.position = start;
  return undefined;
}

function* readMessageCall(
  context: CallContext,
  channels: ChannelFormat,
  name: string,
  start: number,
): Reading<undefined> {
  const { reader } = context;
  const head = reader.text.slice(reader.position - (reader.at - start), reader.position);
  context.settled = start;
  reader.hold(start);
  const isCall =
    (yield* peekLiteral(reader)) === 'object' &&
    context.start(name) &&
    (yield* readLiteral(reader, context.writeInput));
  if (!isCall) failCall(context, start, head);
  reader.release();
  if (isCall) {
    context.complete();
    yield* reader.skipSpace();
    if ((yield* reader.match([...channels.ends, channels.start])) === undefined) {
      // Behind the arguments nothing has a place; some models repeat themselves there.
      context.writer.closeBlock();
      yield* readText(context, plainText, [...channels.ends, channels.start]);
    }
  }
  return undefined;
}

function* readSpace(context: CallContext): Reading<string> {
  const { reader } = context;
  const start = reader.position;
  yield* reader.skipSpace();
  const space = reader.text.slice(start, reader.position);
  reader.forget();
  return space;
}
