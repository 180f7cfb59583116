import { argumentNames } from './argument-types.ts';
import { maximumHeaderLength } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { peekLiteral, readComma, readLiteral } from './read-literal.ts';
import { readObjectCall, readObjectCalls } from './read-object-calls.ts';
import type { Reading } from './text-reader.ts';

/** `name(key=value, …)`, or a list of such calls; objects as in other forms, too. */
export function* readPythonCalls(context: CallContext): Reading<boolean> {
  const { reader } = context;
  if (yield* isObject(context)) return yield* readObjectCalls(context, readObject);
  if ((yield* reader.take(['['])) === undefined) return yield* readPythonCall(context);
  for (;;) {
    if (!(yield* readPythonCall(context))) return false;
    if (!(yield* readComma(reader, ']'))) return true;
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === ']') break;
  }
  reader.position += 1;
  return true;
}

function readObject(context: CallContext): Reading<boolean> {
  return readObjectCall(context, { kind: 'object', nameKeys: ['name'], argumentsKeys: ['arguments'] });
}

/** Whether an object stands here or as the first in a list. */
function* isObject(context: CallContext): Reading<boolean> {
  const { reader } = context;
  const kind = yield* peekLiteral(reader);
  if (kind !== 'list') return kind === 'object';
  const start = reader.position;
  reader.position += 1;
  const inner = yield* peekLiteral(reader);
  reader.position = start;
  return inner === 'object';
}

function* readPythonCall(context: CallContext): Reading<boolean> {
  const { reader } = context;
  const head = yield* reader.readHead(['('], maximumHeaderLength);
  const name = /^\s*([\w.-]+)\s*$/.exec(head?.text ?? '')?.[1];
  if (name === undefined || !context.start(name)) return false;
  const names = argumentNames(context.parametersOf(name));
  context.writeInput('{');
  for (let index = 0; ; index += 1) {
    yield* reader.skipSpace();
    if ((yield* reader.peek()) === ')') break;
    const key = (yield* readKey(context)) ?? names[index];
    if (key === undefined) return false;
    context.writeInput(`${index === 0 ? '' : ','}${JSON.stringify(key)}:`);
    if (!(yield* readLiteral(reader, context.writeInput))) return false;
    if (!(yield* readComma(reader, ')'))) return false;
  }
  reader.position += 1;
  context.writeInput('}');
  context.complete();
  return true;
}

/** `key=`; nothing where a value without a key stands, which is then the argument of that place. */
function* readKey(context: CallContext): Reading<string | undefined> {
  const { reader } = context;
  const start = reader.position;
  let key = '';
  for (;;) {
    const character = yield* reader.peek();
    if (!/^[\w]$/.test(character)) break;
    key += character;
    reader.position += 1;
  }
  yield* reader.skipSpace();
  if (key !== '' && (yield* reader.take(['='])) !== undefined) return key;
  reader.position = start;
  return undefined;
}
