import { functionaryChannels, harmonyChannels } from '../chat/formats/channel-formats.ts';
import type { JSONSchema } from '../chat/messages.ts';
import type { ChannelFormat, OutputFormat, ToolFormat } from '../chat/tool-format.ts';
import { callGrammar, either, leadingSpace } from './calls/call-grammar.ts';
import type { CallableTool } from './calls/call-grammar.ts';
import { GrammarBuilder } from './grammar-builder.ts';
import { characters, choice, empty, invertRanges, optional, repeat, sequence, text } from './grammar.ts';
import type { Grammar, GrammarNode } from './grammar.ts';
import { readGbnf } from './read-gbnf.ts';
import { regexGrammar } from './regex-grammar.ts';
import { schemaGrammar } from './schema/schema-grammar.ts';

/** What an output is to be held to, in one of several notations. */
export type GrammarOption =
  | { readonly json: JSONSchema }
  | { readonly gbnf: string }
  /** As xgrammar writes it, without look-aheads and tags; the same reader as for `gbnf`. */
  | { readonly ebnf: string }
  | { readonly regex: string };

/** What decides about the grammar of an answer. */
export interface OutputDemand {
  /** What text is held to; absent = any text. */
  readonly answer?: GrammarOption;
  /** Tools that may be called, by the names that the model knows. */
  readonly tools: readonly CallableTool[];
  readonly toolFormat?: ToolFormat | undefined;
  /** Calls and nothing else. */
  readonly mustCall: boolean;
  readonly mostCalls: number;
  readonly format: OutputFormat;
  /** The model may think before it answers; `inside`: the prompt has begun it. */
  readonly thinks: 'no' | 'may' | 'inside';
  /** A space at the very beginning is left away when tokens become text. */
  readonly stripsSpace: boolean;
  /** Texts of tokens that end an answer. */
  readonly endTexts: readonly string[];
}

export interface OutputGrammar {
  readonly grammar: Grammar;
  /** What is not enforced of the answer's schema, as JSON pointers. */
  readonly unenforced: readonly string[];
  readonly unenforcedArguments: readonly { readonly tool: string; readonly path: string }[];
}

/** Whether an answer has to be held to a grammar at all. */
export function needsGrammar(demand: OutputDemand): boolean {
  return demand.answer !== undefined || demand.tools.length > 0;
}

/**
 * The grammar of a whole answer: thoughts, then text, calls, or either.
 * @throws {RivuletError} `GRAMMAR_INVALID`, `GRAMMAR_TOO_LARGE`, `SCHEMA_INVALID`
 */
export function outputGrammar(demand: OutputDemand): OutputGrammar {
  const builder = new GrammarBuilder();
  const { tools, toolFormat, answer } = demand;
  const unenforced: string[] = [];
  let answerNode: GrammarNode | undefined;
  if (answer !== undefined) {
    const made = answerGrammar(answer);
    unenforced.push(...made.unenforced);
    answerNode = framed(builder.embed(made.grammar), demand.format);
  }
  if (tools.length === 0 || toolFormat === undefined) {
    const root = sequence(before(demand), answerNode ?? anyText([]));
    return { grammar: builder.build(root), unenforced, unenforcedArguments: [] };
  }
  const { calls, unenforced: unenforcedArguments } = callGrammar(
    toolFormat,
    tools,
    demand.mostCalls,
    demand.endTexts,
    builder,
  );
  const root =
    demand.mustCall || answerNode !== undefined
      ? sequence(before(demand), demand.mustCall ? calls : either(calls, answerNode))
      : freely(demand, toolFormat, builder.share(calls));
  return { grammar: builder.build(root), unenforced, unenforcedArguments };
}

function answerGrammar(option: GrammarOption): {
  readonly grammar: Grammar;
  readonly unenforced: readonly string[];
} {
  if ('json' in option) {
    const { grammar, unenforced } = schemaGrammar(option.json);
    return { grammar, unenforced: unenforced.map(({ path }) => path) };
  }
  if ('regex' in option) return { grammar: regexGrammar(option.regex), unenforced: [] };
  return { grammar: readGbnf('gbnf' in option ? option.gbnf : option.ebnf), unenforced: [] };
}

/** Text and calls as the model likes; once a call has begun it is held to its form and schema. */
function freely(demand: OutputDemand, { writing, reading }: ToolFormat, calls: GrammarNode): GrammarNode {
  const stops = [
    ...new Set([...writing.triggers, ...reading.opens, ...(reading.bare?.anywhere ?? [])]),
  ].filter((stop) => stop !== '');
  const first = thoughts(demand);
  if (writing.triggers.length > 0) {
    const part = anyText(stops);
    const all = sequence(part, repeat(sequence(calls, part), 0, demand.mostCalls));
    if (first === empty) return all;
    return demand.thinks === 'inside' ? sequence(first, all) : choice(all, sequence(first, all));
  }
  // Without a marker an answer that begins like a call is one.
  const firsts = (reading.bare?.first ?? []).map((first) => first.codePointAt(0)!);
  const other = invertRanges(firsts.map((first) => [first, first] as const));
  const words = optional(sequence(characters(other), anyText(stops)));
  return sequence(before(demand), firsts.length === 0 ? choice(calls, anyText(stops)) : choice(calls, words));
}

function anyText(stops: readonly string[]): GrammarNode {
  return { kind: 'until', stops };
}

/** How answers in channels begin, which then hold text. */
const channelAnswers: ReadonlyMap<ChannelFormat, string> = new Map([
  [harmonyChannels, '<|channel|>final<|message|>'],
  [functionaryChannels, 'all\n'],
]);

/** Text with the marks that the model puts around it. */
function framed(node: GrammarNode, { answer, channels }: OutputFormat): GrammarNode {
  if (channels !== undefined) {
    const head = channelAnswers.get(channels);
    return head === undefined ? node : sequence(text(head), node);
  }
  if (answer === undefined) return node;
  return choice(node, sequence(text(answer.open), node, optional(text(answer.close))));
}

/** Thoughts and the white space in front of an answer: JSON and calls have any, other grammars what is stripped. */
function before(demand: OutputDemand): GrammarNode {
  const { answer, stripsSpace } = demand;
  const isExact = answer !== undefined && !('json' in answer);
  const own = isExact ? (stripsSpace ? optional(text(' ')) : empty) : leadingSpace;
  const first = thoughts(demand);
  if (first === empty) return own;
  const thought = sequence(first, leadingSpace);
  return demand.thinks === 'inside' ? thought : choice(own, thought);
}

function thoughts({ thinks, format }: OutputDemand): GrammarNode {
  const { reasoning, channels } = format;
  if (channels === harmonyChannels) {
    return thinks === 'no'
      ? empty
      : sequence(
          text('<|channel|>analysis<|message|>'),
          anyText(['<|end|>']),
          text('<|end|><|start|>assistant'),
        );
  }
  if (reasoning === undefined || thinks === 'no') return empty;
  const inside = sequence(anyText([reasoning.close]), text(reasoning.close));
  return thinks === 'inside' ? inside : sequence(leadingSpace, text(reasoning.open), inside);
}
