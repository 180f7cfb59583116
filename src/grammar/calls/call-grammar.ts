import type { JSONSchema } from '../../chat/messages.ts';
import { idPlaceholder, indexPlaceholder, namePlaceholder } from '../../chat/tool-format.ts';
import type { ToolFormat, ToolWriting } from '../../chat/tool-format.ts';
import type { GrammarBuilder } from '../grammar-builder.ts';
import { characters, choice, repeat, sequence, text } from '../grammar.ts';
import type { GrammarNode } from '../grammar.ts';
import { schemaGrammar } from '../schema/schema-grammar.ts';
import { writtenArguments } from './written-arguments.ts';

/** A tool as the model knows it. */
export interface CallableTool {
  readonly name: string;
  /** The caller's name, where it is another one. */
  readonly callerName?: string;
  readonly parameters: JSONSchema;
}

/** A keyword of a tool's schema that calls are not held to. */
export interface UnenforcedArgument {
  readonly tool: string;
  readonly path: string;
}

export interface CallGrammar {
  /** One or more calls, with all that stands around them. */
  readonly calls: GrammarNode;
  readonly unenforced: readonly UnenforcedArgument[];
}

const digits = repeat(characters([[0x30, 0x39]]), 1, 3);
const callId = repeat(
  characters([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ]),
  9,
  9,
);

/**
 * Calls as a model writes them, arguments held to the tools' schemas. Arguments that no schema names are not part of
 * a call unless the schema says so.
 * @param mostCalls in one answer
 * @param endTexts of tokens that end the answer: what a format writes behind a call, the engine takes as its end
 * @throws {RivuletError} `SCHEMA_INVALID`, `GRAMMAR_TOO_LARGE`
 */
export function callGrammar(
  { writing }: ToolFormat,
  tools: readonly CallableTool[],
  mostCalls: number,
  endTexts: readonly string[],
  builder: GrammarBuilder,
): CallGrammar {
  const unenforced: UnenforcedArgument[] = [];
  const most = writing.parallel ? mostCalls : 1;
  const one = builder.share(
    choice(
      ...tools.map(({ name, parameters }) => {
        const complain = (path: string): void => {
          unenforced.push({ tool: name, path });
        };
        return sequence(
          filled(writing.beforeName, name),
          text(name),
          filled(writing.afterName, name),
          argumentsNode(writing, parameters, builder, complain),
          filled(withoutEnd(writing.afterArguments, writing.sectionClose === '' ? endTexts : []), name),
        );
      }),
    ),
  );
  const calls = sequence(
    text(writing.sectionOpen),
    one,
    most === 1 ? text('') : repeat(sequence(text(writing.separator), one), 0, most - 1),
    text(withoutEnd(writing.sectionClose, endTexts)),
  );
  return { calls, unenforced };
}

function argumentsNode(
  { arguments: writing }: ToolWriting,
  parameters: JSONSchema,
  builder: GrammarBuilder,
  complain: (path: string) => void,
): GrammarNode {
  if (writing.kind !== 'json') return writtenArguments(writing, parameters, builder, complain);
  const { grammar, unenforced } = schemaGrammar(parameters, { closesRoot: true, rootIsObject: true });
  for (const { path } of unenforced) complain(path);
  return builder.embed(grammar);
}

/** A text of a format with what stands for its placeholders. */
function filled(value: string, name: string): GrammarNode {
  const parts = value.split(/(\{index\}|\{id\}|\{name\})/);
  return sequence(
    ...parts.map((part) => {
      if (part === indexPlaceholder) return digits;
      if (part === idPlaceholder) return callId;
      return text(part === namePlaceholder ? name : part);
    }),
  );
}

function withoutEnd(value: string, endTexts: readonly string[]): string {
  const end = endTexts.find((each) => each !== '' && value.endsWith(each));
  return end === undefined ? value : value.slice(0, -end.length);
}

/** Characters in front of an answer that models write there. */
export const leadingSpace: GrammarNode = repeat(
  characters([
    [0x0a, 0x0a],
    [0x20, 0x20],
  ]),
  0,
  4,
);

/** One of several, or what is there. */
export function either(...nodes: readonly (GrammarNode | undefined)[]): GrammarNode {
  return choice(...nodes.filter((node) => node !== undefined));
}
