import type { JSONSchema } from '../../chat/messages.ts';
import type { ArgumentsWriting } from '../../chat/tool-format.ts';
import type { GrammarBuilder } from '../grammar-builder.ts';
import { characters, choice, empty, lastCodePoint, optional, repeat, sequence, text } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { Conjunctions } from '../schema/schema-conjunction.ts';
import { schemaGrammar } from '../schema/schema-grammar.ts';
import { SchemaSource, isObject } from '../schema/schema-source.ts';
import type { Schema, SchemaObject } from '../schema/schema-source.ts';

type OtherWriting = Exclude<ArgumentsWriting, { readonly kind: 'json' }>;

interface Argument {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** Arguments that are not written as one JSON object: their names and order are held, and values as far as told. */
export function writtenArguments(
  writing: OtherWriting,
  parameters: JSONSchema,
  builder: GrammarBuilder,
  complain: (path: string) => void,
): GrammarNode {
  const source = new SchemaSource(parameters);
  const values = new ValueWriter(source, writing, builder, complain);
  const found = argumentsOf(source);
  const ordered =
    writing.kind === 'braces' ? found.toSorted((left, right) => (left.name < right.name ? -1 : 1)) : found;
  switch (writing.kind) {
    case 'tagged':
      return inOrder(
        ordered.map((argument) => ({
          isRequired: argument.isRequired,
          node: values.tagged(argument.name, argument.schema, writing),
        })),
        text(writing.separator),
        builder,
      );
    case 'python':
      return inOrder(
        ordered.map(({ name, schema, isRequired }) => ({
          isRequired,
          node: sequence(text(`${name}=`), values.value(schema)),
        })),
        text(', '),
        builder,
      );
    case 'braces':
      return sequence(
        text('{'),
        inOrder(
          ordered.map(({ name, schema, isRequired }) => ({
            isRequired,
            node: sequence(text(`${name}:`), values.value(schema)),
          })),
          text(','),
          builder,
        ),
        text('}'),
      );
    case 'elements':
      return inOrder(
        ordered.map(({ name, schema, isRequired }) => ({
          isRequired,
          node: sequence(
            text(`${writing.mark}<${name}>`),
            values.value(schema),
            text(`${writing.mark}</${name}>`),
          ),
        })),
        empty,
        builder,
      );
  }
}

/** The named properties of the object that the schema describes. */
function argumentsOf(source: SchemaSource): Argument[] {
  const alternatives = new Conjunctions(source, () => undefined).alternatives([source.root]);
  const conjunction = alternatives[0] ?? [];
  const schemas = new Map<string, Schema[]>();
  const required = new Set<unknown>();
  for (const schema of conjunction) {
    const { properties } = schema as { readonly properties?: unknown };
    if (isObject(properties)) {
      for (const [name, value] of Object.entries(properties)) {
        schemas.set(name, [...(schemas.get(name) ?? []), value as Schema]);
      }
    }
    for (const name of Array.isArray(schema['required']) ? schema['required'] : []) required.add(name);
  }
  return [...schemas].map(([name, parts]) => ({
    name,
    schema: parts.length === 1 ? parts[0]! : { allOf: parts },
    isRequired: required.has(name),
  }));
}

/** Parts in their order, those that are not required only perhaps, with separators between. */
function inOrder(
  parts: readonly { readonly node: GrammarNode; readonly isRequired: boolean }[],
  separator: GrammarNode,
  builder: GrammarBuilder,
): GrammarNode {
  let tail: GrammarNode = empty;
  const firsts: GrammarNode[] = [];
  let canBeEmpty = true;
  for (const { node, isRequired } of parts.toReversed()) {
    if (isRequired) {
      firsts.length = 0;
      canBeEmpty = false;
    }
    const shared = builder.share(node);
    firsts.unshift(sequence(shared, tail));
    const following = sequence(separator, shared);
    tail = builder.share(sequence(isRequired ? following : optional(following), tail));
  }
  return canBeEmpty ? optional(choice(...firsts)) : choice(...firsts);
}

/** Values in the spelling of a form. */
class ValueWriter {
  readonly #source: SchemaSource;
  readonly #writing: OtherWriting;
  readonly #builder: GrammarBuilder;
  readonly #complain: (path: string) => void;
  readonly #conjunctions: Conjunctions;

  constructor(
    source: SchemaSource,
    writing: OtherWriting,
    builder: GrammarBuilder,
    complain: (path: string) => void,
  ) {
    this.#source = source;
    this.#writing = writing;
    this.#builder = builder;
    this.#complain = complain;
    this.#conjunctions = new Conjunctions(source, () => undefined);
  }

  tagged(name: string, schema: Schema, writing: ArgumentsWriting & { kind: 'tagged' }): GrammarNode {
    const open = (after: string): GrammarNode => text(`${writing.beforeKey}${name}${after}`);
    const close = text(writing.afterValue);
    const { texts, others } = this.#divide(schema, writing.afterValue.trim());
    return choice(
      ...(texts === undefined
        ? []
        : [sequence(open(writing.afterStringKey ?? writing.afterKey), texts, close)]),
      ...(others === undefined ? [] : [sequence(open(writing.afterKey), others, close)]),
    );
  }

  value(schema: Schema): GrammarNode {
    const { texts, others } = this.#divide(schema, this.#stop());
    const items: GrammarNode[] = [];
    if (texts !== undefined) items.push(this.#quoted(texts));
    if (others !== undefined) items.push(others);
    return choice(...items);
  }

  #stop(): string {
    const writing = this.#writing;
    if (writing.kind === 'braces') return writing.quote;
    return writing.kind === 'elements' ? writing.mark : "'";
  }

  #quoted(texts: GrammarNode): GrammarNode {
    const writing = this.#writing;
    if (writing.kind === 'braces') return sequence(text(writing.quote), texts, text(writing.quote));
    if (writing.kind === 'elements') return texts;
    return sequence(text("'"), texts, text("'"));
  }

  /** What a text may be without its quotes, and what other values look like. */
  #divide(
    schema: Schema,
    stop: string,
  ): { readonly texts: GrammarNode | undefined; readonly others: GrammarNode | undefined } {
    const listed = this.#listed(schema);
    if (listed !== undefined) {
      const strings = listed.filter((value) => typeof value === 'string');
      const others = listed.filter((value) => typeof value !== 'string');
      return {
        texts:
          strings.length === 0 ? undefined : choice(...strings.map((value) => text(this.#escaped(value)))),
        others: others.length === 0 ? undefined : choice(...others.map((value) => this.#literal(value))),
      };
    }
    const types = this.#types(schema);
    const others = [...types].filter((type) => type !== 'string');
    if (types.has('string')) this.#complainOfTexts(schema);
    return {
      texts: types.has('string') ? this.#anyText(stop) : undefined,
      others: others.length === 0 ? undefined : this.#others(schema, others),
    };
  }

  #anyText(stop: string): GrammarNode {
    if (this.#writing.kind !== 'python') return { kind: 'until', stops: [stop] };
    const plain = characters([
      [0x20, 0x26],
      [0x28, 0x5b],
      [0x5d, lastCodePoint],
    ]);
    const escape = sequence(
      text('\\'),
      characters([0x22, 0x27, 0x5c, 0x6e, 0x72, 0x74].map((each) => [each, each] as const)),
    );
    return repeat(choice(plain, escape), 0);
  }

  #escaped(value: string): string {
    if (this.#writing.kind !== 'python') return value;
    return JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  }

  #literal(value: unknown): GrammarNode {
    if (this.#writing.kind !== 'python') return text(JSON.stringify(value));
    if (value === true) return text('True');
    if (value === false) return text('False');
    return text(value === null ? 'None' : JSON.stringify(value));
  }

  #listed(schema: Schema): readonly unknown[] | undefined {
    if (!isObject(schema)) return undefined;
    if (schema['const'] !== undefined) return [schema['const']];
    return Array.isArray(schema['enum']) ? schema['enum'] : undefined;
  }

  #types(schema: Schema): ReadonlySet<string> {
    if (!isObject(schema)) return new Set(['string', 'number', 'boolean', 'null', 'array', 'object']);
    const types = new Set<string>();
    for (const conjunction of this.#conjunctions.alternatives([schema])) {
      let common: readonly string[] | undefined;
      for (const { type } of conjunction as readonly { readonly type?: unknown }[]) {
        if (type === undefined) continue;
        const own = (Array.isArray(type) ? type : [type]) as readonly string[];
        common = common === undefined ? own : common.filter((each) => own.includes(each));
      }
      for (const type of common ?? ['string', 'number', 'boolean', 'null', 'array', 'object'])
        types.add(type);
    }
    return types;
  }

  #others(schema: Schema, types: readonly string[]): GrammarNode {
    const isNested = (type: string): boolean => type === 'array' || type === 'object';
    const isOwn = (type: string): boolean => {
      if (this.#writing.kind === 'tagged') return false;
      return isNested(type) || (this.#writing.kind === 'python' && (type === 'boolean' || type === 'null'));
    };
    if (types.some((type) => isOwn(type) && isNested(type))) this.#complain(this.#source.pathOf(schema));
    const asJson = types.filter((type) => !isOwn(type));
    return choice(
      ...types.filter(isOwn).map((type) => this.#simple(type)),
      ...(asJson.length === 0 ? [] : [this.#json(schema, asJson)]),
    );
  }

  #json(schema: Schema, types: readonly string[]): GrammarNode {
    const definitions = isObject(this.#source.root) ? this.#source.root : {};
    const { grammar, unenforced } = schemaGrammar({
      $defs: definitions['$defs'] ?? {},
      definitions: definitions['definitions'] ?? {},
      allOf: [schema, { type: types }],
    });
    for (const { path } of unenforced) this.#complain(path);
    return this.#builder.embed(grammar);
  }

  /** Lists and objects of other forms are held to their outline only. */
  #simple(type: string): GrammarNode {
    const isPython = this.#writing.kind === 'python';
    const digits = repeat(characters([[0x30, 0x39]]), 1, 40);
    const integer = sequence(optional(text('-')), digits);
    switch (type) {
      case 'integer':
        return integer;
      case 'number':
        return sequence(integer, optional(sequence(text('.'), digits)));
      case 'boolean':
        return isPython ? choice(text('True'), text('False')) : choice(text('true'), text('false'));
      case 'null':
        return text(isPython ? 'None' : 'null');
      default:
        return this.#nested(type === 'array');
    }
  }

  #nested(isList: boolean): GrammarNode {
    const writing = this.#writing;
    if (writing.kind === 'elements') return { kind: 'until', stops: [] };
    const scalar = choice(
      this.#quoted(this.#anyText(this.#stop())),
      this.#simple('number'),
      this.#simple('boolean'),
      this.#simple('null'),
    );
    const comma = text(writing.kind === 'python' ? ', ' : ',');
    const key =
      writing.kind === 'python'
        ? sequence(this.#quoted(this.#anyText("'")), text(': '))
        : sequence(
            repeat(
              characters([
                [0x30, 0x39],
                [0x41, 0x5a],
                [0x5f, 0x5f],
                [0x61, 0x7a],
              ]),
              1,
              64,
            ),
            text(':'),
          );
    const item = isList ? scalar : sequence(key, scalar);
    const items = optional(sequence(item, repeat(sequence(comma, item), 0)));
    return isList ? sequence(text('['), items, text(']')) : sequence(text('{'), items, text('}'));
  }

  #complainOfTexts(schema: Schema): void {
    if (!isObject(schema)) return;
    for (const keyword of ['pattern', 'format', 'minLength', 'maxLength']) {
      if ((schema as SchemaObject)[keyword] !== undefined) {
        this.#complain(`${this.#source.pathOf(schema)}/${keyword}`);
      }
    }
  }
}
