import type { CallBody, ParameterReading } from '../tool-format.ts';
import { argumentSchema } from './argument-types.ts';
import { maximumHeaderLength } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { readHeader } from './read-named-calls.ts';
import type { Reading } from './text-reader.ts';
import { createArgumentWriter } from './write-argument.ts';

/** A name, then each argument between texts of its own. */
export function* readTaggedCall(context: CallContext, body: CallBody & { kind: 'tagged' }): Reading<boolean> {
  const { reader } = context;
  const { parameters } = body;
  const name = yield* readHeader(context, body.header);
  if (name === undefined) return false;
  if (!context.start(name)) return false;
  context.writeInput('{');
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    const next = yield* reader.take([parameters.open, ...parameters.end]);
    if (next === undefined) return false;
    if (next !== parameters.open) break;
    if (!(yield* readParameter(context, parameters, name, isFirst))) return false;
  }
  context.writeInput('}');
  context.complete();
  return true;
}

function* readParameter(
  context: CallContext,
  parameters: ParameterReading,
  toolName: string,
  isFirst: boolean,
): Reading<boolean> {
  const { reader } = context;
  const head = yield* reader.readHead([parameters.middle], maximumHeaderLength);
  const [, key, isString] = parameters.pattern.exec(head?.text ?? '') ?? [];
  if (key === undefined) return false;
  if (parameters.valueOpen !== undefined) {
    yield* reader.skipSpace();
    if ((yield* reader.take([parameters.valueOpen])) === undefined) return false;
  }
  const root = context.parametersOf(toolName);
  const writer = createArgumentWriter({
    schema: argumentSchema(root, key),
    root,
    isString: isString === undefined ? undefined : isString === 'true',
    onLines: parameters.valueOnLines === true,
    write: context.writeInput,
  });
  context.writeInput(`${isFirst ? '' : ','}${JSON.stringify(key)}:`);
  for (;;) {
    const close = yield* reader.readUntil([parameters.close], (text) => writer.push(text));
    if (close === undefined) return false;
    if (yield* endsHere(context, parameters)) break;
    // The closing text is part of the value: it stands where no argument and no call can end.
    writer.push(close);
  }
  return writer.end();
}

/** Whether what follows a closing text is what has to follow an argument. */
function* endsHere(context: CallContext, parameters: ParameterReading): Reading<boolean> {
  const { reader } = context;
  const start = reader.position;
  yield* reader.skipSpace();
  const isEnd =
    (yield* reader.match([parameters.open, ...parameters.end])) !== undefined ||
    (yield* reader.peek()) === '';
  reader.position = start;
  return isEnd;
}
