import type { JSONSchema } from '../messages.ts';
import type { CallBody } from '../tool-format.ts';
import { allowedTypes, argumentSchema, itemSchema } from './argument-types.ts';
import { maximumHeaderLength } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { escapeText } from './read-literal.ts';
import type { Reading } from './text-reader.ts';
import { toJson } from './write-argument.ts';

/** As in read-literal.ts. */
const maximumDepth = 128;

/** What the elements of a call are read with; `root` is the schema of all arguments. */
interface ElementContext {
  readonly call: CallContext;
  readonly mark: string;
  readonly root: JSONSchema;
}

/** `<invoke name="…">` with an element for each argument, a mark of the vocabulary before every tag. */
export function* readElementCall(
  context: CallContext,
  { mark }: CallBody & { kind: 'elements' },
): Reading<boolean> {
  const { reader } = context;
  yield* reader.skipSpace();
  yield* reader.take([`${mark}<invoke name="`]);
  const head = yield* reader.readHead(['">'], maximumHeaderLength);
  const name = /^[\w.-]+$/.exec(head?.text ?? '')?.[0];
  if (name === undefined || !context.start(name)) return false;
  const root = context.parametersOf(name);
  if (!(yield* readChildren({ call: context, mark, root }, root, 'invoke', 0, 'object'))) return false;
  context.complete();
  return true;
}

/** Elements up to the closing tag of `parent`, as an object or a list. */
function* readChildren(
  context: ElementContext,
  schema: JSONSchema,
  parent: string,
  depth: number,
  kind: 'object' | 'array' | undefined,
): Reading<boolean> {
  const { call, mark } = context;
  const { reader } = call;
  let isList = kind === 'array';
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    const tag = yield* reader.take([`${mark}</${parent}>`, `${mark}<`]);
    if (tag === undefined || depth > maximumDepth) return false;
    const isEnd = tag !== `${mark}<`;
    const name = isEnd ? undefined : (yield* reader.readHead(['>'], maximumHeaderLength))?.text;
    if (!isEnd && (name === undefined || name === '' || name.startsWith('/'))) return false;
    if (isFirst) {
      isList ||= kind === undefined && name === 'item';
      call.writeInput(isList ? '[' : '{');
    }
    if (name === undefined) break;
    call.writeInput(`${isFirst ? '' : ','}${isList ? '' : `${JSON.stringify(name)}:`}`);
    const child = isList ? itemSchema(schema) : argumentSchema(schema, name);
    if (!(yield* readElement(context, child, name, depth + 1))) return false;
  }
  call.writeInput(isList ? ']' : '}');
  return true;
}

function* readElement(
  context: ElementContext,
  schema: JSONSchema,
  name: string,
  depth: number,
): Reading<boolean> {
  const { call, mark, root } = context;
  const { reader } = call;
  const close = `${mark}</${name}>`;
  const types = allowedTypes(schema, root);
  if (types?.size === 1 && types.has('string')) {
    call.writeInput('"');
    const end = yield* reader.readUntil([close], (text) => call.writeInput(escapeText(text)));
    call.writeInput('"');
    return end !== undefined;
  }
  const only = types?.size === 1 ? [...types][0] : undefined;
  const kind = only === 'object' || only === 'array' ? only : undefined;
  const start = reader.position;
  yield* reader.skipSpace();
  const tag = yield* reader.match([mark, close]);
  if (tag === mark || (tag === close && kind !== undefined)) {
    return yield* readChildren(context, schema, name, depth, kind);
  }
  reader.position = start;
  let text = '';
  const end = yield* reader.readUntil([mark], (part) => (text += part));
  if (end === undefined || (yield* reader.take([`</${name}>`])) === undefined) return false;
  call.writeInput(toJson(text, types));
  return true;
}
