import type { CallBody, CallHeader } from '../tool-format.ts';
import type { CallContext } from './call-context.ts';
import { maximumHeaderLength } from './call-context.ts';
import { peekLiteral, readLiteral } from './read-literal.ts';
import type { Reading } from './text-reader.ts';

/** A name, then a JSON object. */
export function* readNamedCall(context: CallContext, body: CallBody & { kind: 'named' }): Reading<boolean> {
  const name = yield* readHeader(context, body.header);
  if (name === undefined) return false;
  if ((yield* peekLiteral(context.reader)) !== 'object' || !context.start(name)) return false;
  if (!(yield* readLiteral(context.reader, context.writeInput))) return false;
  context.complete();
  return true;
}

/** The name in a header. */
export function* readHeader(context: CallContext, header: CallHeader): Reading<string | undefined> {
  yield* context.reader.skipSpace();
  const read = yield* context.reader.readHead(header.until, maximumHeaderLength);
  if (read === undefined) return undefined;
  if (header.keepsEnd === true) context.reader.position -= read.found.length;
  return header.pattern.exec(read.text)?.[1];
}
