import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { detectOutput } from '../../src/chat/formats/detect-output.ts';
import { detectTools } from '../../src/chat/formats/detect-tools.ts';
import type { JSONSchema } from '../../src/chat/messages.ts';
import type { OfferedTool } from '../../src/chat/output/call-context.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import type { AnswerFormat } from '../../src/chat/output/read-answer.ts';
import { createStreamParser } from '../../src/chat/parse-stream.ts';
import { opensReasoning } from '../../src/chat/reasoning.ts';
import { createChatTemplate } from '../../src/chat/template.ts';
import type { ChatTemplate } from '../../src/chat/template.ts';
import type { GenerateEvent } from '../../src/events.ts';
import { Metadata } from '../../src/gguf/metadata.ts';

export interface ExpectedCall {
  readonly name: string;
  readonly arguments?: unknown;
  readonly argumentsText?: string;
}

export interface Expectation {
  readonly content: string;
  readonly reasoning: string | null;
  readonly toolCalls?: readonly ExpectedCall[];
  readonly toolNames?: readonly string[];
}

export interface ToolCallCase {
  readonly format?: string;
  readonly name: string;
  readonly text: string;
  readonly generationPrompt?: string;
  readonly tools?: string;
  readonly partial?: boolean;
  readonly expected?: Expectation | null;
  readonly expectedAny?: readonly Expectation[];
  readonly referenceRejects?: boolean;
}

export interface ToolCallCases {
  /** Absent in written.json. */
  readonly template?: string;
  readonly cases: readonly ToolCallCase[];
}

export interface ToolCallFolder {
  readonly tools: ReadonlyMap<string, OfferedTool>;
  readonly files: readonly ToolCallCases[];
  readonly written: readonly ToolCallCase[];
}

/** Reads a folder in the format of conformance/tool-calls. */
export function readToolCallFolder(folder: string): ToolCallFolder {
  const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const tools = json('tools.json') as readonly { function: { name: string; parameters: JSONSchema } }[];
  const index = json('index.json') as readonly { file: string }[];
  return {
    tools: new Map(tools.map(({ function: { name, parameters } }) => [name, { name, parameters }])),
    files: index.map(({ file }) => json(file) as ToolCallCases).filter((file) => file.template !== undefined),
    written: (json('written.json') as ToolCallCases).cases,
  };
}

export function createTemplate(source: string, controlTexts: readonly string[] = []): ChatTemplate {
  return createChatTemplate({
    source,
    metadata: new Metadata(new Map()),
    now: () => new Date('2026-03-14T09:26:53'),
    tokens: { bos: '<s>', eos: '</s>', controlTexts },
  });
}

/** What a template's model is read by. */
export function formatOf(template: ChatTemplate, one: ToolCallCase): AnswerFormat {
  return answerFormat(
    detectOutput(template.source),
    one.tools === 'none' ? undefined : detectTools(template).format,
  );
}

export interface ParsedAnswer {
  readonly content: string;
  readonly reasoning: string | null;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  /** Every call that was begun, with its input as far as it came. */
  readonly begun: readonly { readonly name: string; readonly input: string; readonly isCall: boolean }[];
}

export interface ParseOptions {
  readonly format: AnswerFormat;
  readonly tools: ReadonlyMap<string, OfferedTool>;
  readonly generationPrompt?: string | undefined;
  /** undefined: the generation goes on. */
  readonly end?: 'eos' | 'cut' | undefined;
}

/** Reads an answer in these pieces and checks that its events are in order. */
export function parseAnswer(pieces: readonly string[], options: ParseOptions): ParsedAnswer {
  let ids = 0;
  const { format } = options;
  const parser = createStreamParser({
    format,
    tools: options.tools,
    startsInReasoning:
      format.reasoning !== undefined && opensReasoning(options.generationPrompt ?? '', format.reasoning),
    createId: () => String(ids++),
  });
  const events = pieces.flatMap((piece) => parser.push(piece));
  if (options.end !== undefined) events.push(...parser.end({ isCut: options.end === 'cut' }));
  return collectEvents(events, options.end !== undefined);
}

/** @throws when blocks overlap, an input is not the joined deltas, or is no JSON */
export function collectEvents(events: readonly GenerateEvent[], isEnded: boolean): ParsedAnswer {
  const texts = { text: '', reasoning: undefined as string | undefined };
  const begun: { name: string; input: string; isCall: boolean }[] = [];
  const calls: { name: string; arguments: unknown }[] = [];
  let open: string | undefined;
  let lastInput: { id: string; input: string } | undefined;
  const expectOpen = (id: string): void => {
    if (open !== id) throw new Error(`the block ${id} is not open`);
  };
  for (const event of events) {
    switch (event.type) {
      case 'text-start':
      case 'reasoning-start':
      case 'tool-input-start':
        if (open !== undefined) throw new Error('a block is still open');
        open = event.id;
        if (event.type === 'tool-input-start') {
          begun.push({ name: event.toolName, input: '', isCall: false });
        }
        break;
      case 'text-delta':
      case 'reasoning-delta':
        expectOpen(event.id);
        if (event.delta === '') throw new Error('an empty delta');
        if (event.type === 'text-delta') texts.text += event.delta;
        else texts.reasoning = (texts.reasoning ?? '') + event.delta;
        break;
      case 'tool-input-delta': {
        expectOpen(event.id);
        const last = begun.at(-1);
        if (last !== undefined) last.input += event.delta;
        break;
      }
      case 'text-end':
      case 'reasoning-end':
      case 'tool-input-end':
        expectOpen(event.id);
        open = undefined;
        if (event.type === 'tool-input-end') lastInput = { id: event.id, input: begun.at(-1)?.input ?? '' };
        break;
      case 'tool-call': {
        const last = begun.at(-1);
        if (lastInput?.id !== event.id || lastInput.input !== event.input || last === undefined) {
          throw new Error('the input is not what its deltas are together');
        }
        last.isCall = true;
        calls.push({ name: event.toolName, arguments: JSON.parse(event.input) as unknown });
        break;
      }
      default:
        throw new Error(`unexpected ${event.type}`);
    }
  }
  if (isEnded && open !== undefined) throw new Error('a block was left open');
  return { content: texts.text, reasoning: texts.reasoning ?? null, calls, begun };
}

/**
 * Where the reference loses text that the model wrote, or takes an empty thought for text, and we do not: what we
 * make of the case instead. Undefined: the case is to be met.
 */
export function differs(one: ToolCallCase): ((parsed: ParsedAnswer) => boolean) | undefined {
  const { expected, name } = one;
  if (expected === null || expected === undefined) return undefined;
  const isEmpty = expected.content.trim() === '';
  if (isEmpty && name.endsWith('/text-after-call')) {
    return (parsed) =>
      parsed.content === 'That is all.' && sortedJson(parsed.calls) === sortedJson(expected.toolCalls);
  }
  if (name.endsWith('/unknown-tool')) {
    // The call is text; a call of a tool behind it stays one.
    return (parsed) =>
      parsed.content.includes('no_such_tool') && parsed.calls.every((call) => call.name === 'send_mail');
  }
  if (name.endsWith('/leading-newlines') && /think>/.test(expected.content)) {
    return (parsed) => parsed.content === '' && sortedJson(parsed.calls) === sortedJson(expected.toolCalls);
  }
  // Without tools the message of a channel is text like any other.
  if (isEmpty && name === 'call/no-tools-given') {
    return (parsed) => parsed.calls.length === 0 && parsed.content.includes('ACME');
  }
  return undefined;
}

/** Why an answer is not what a case expects; nothing if it is. */
export function judge(parsed: ParsedAnswer, one: ToolCallCase): string | undefined {
  const isOurs = differs(one);
  if (isOurs !== undefined) return isOurs(parsed) ? undefined : `not as described: ${JSON.stringify(parsed)}`;
  const expectations =
    one.expectedAny ?? (one.expected === null || one.expected === undefined ? [] : [one.expected]);
  if (expectations.length === 0) return undefined;
  const reasons = expectations.map((expected) => compare(parsed, expected));
  return reasons.includes(undefined) ? undefined : reasons.join(' / ');
}

function compare(parsed: ParsedAnswer, expected: Expectation): string | undefined {
  const wrong = (what: string, got: unknown, wanted: unknown): string =>
    `${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`;
  if (parsed.content.trim() !== expected.content.trim()) {
    return wrong('content', parsed.content, expected.content);
  }
  if ((parsed.reasoning ?? '').trim() !== (expected.reasoning ?? '').trim()) {
    return wrong('reasoning', parsed.reasoning, expected.reasoning);
  }
  if (expected.toolNames !== undefined) {
    const names = parsed.begun.map((call) => call.name);
    return sortedJson(names) === sortedJson(expected.toolNames)
      ? undefined
      : wrong('tools', names, expected.toolNames);
  }
  const wanted = expected.toolCalls ?? [];
  // What the reference reports as a call with half of its arguments is one that was begun, and no call.
  if (wanted.some((call) => call.argumentsText !== undefined)) {
    if (parsed.begun.length !== wanted.length) return wrong('calls', parsed.begun, wanted);
    for (const [index, call] of wanted.entries()) {
      const got = parsed.begun[index];
      if (got?.name !== call.name) return wrong('name', got, call);
      if (call.argumentsText === undefined) {
        if (sortedJson(JSON.parse(got.input)) !== sortedJson(call.arguments)) return wrong('call', got, call);
        continue;
      }
      const [mine, theirs] = [withoutSpace(got.input), withoutSpace(call.argumentsText)];
      if (!mine.startsWith(theirs) && !theirs.startsWith(mine)) return wrong('input', mine, theirs);
    }
    return undefined;
  }
  return sortedJson(parsed.calls) === sortedJson(wanted) ? undefined : wrong('calls', parsed.calls, wanted);
}

/** JSON with the keys of objects in one order. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : item,
  );
}

/** JSON text without white space outside of strings. */
function withoutSpace(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\.)*"?)|\s+/g, '$1');
}

/** A text in pieces: as a whole, in characters, and in `count` ways by chance. */
export function splitText(text: string, count: number, random: () => number): string[][] {
  const splits = [Array.from(text)];
  for (let index = 0; index < count; index += 1) {
    const pieces: string[] = [];
    for (let start = 0; start < text.length;) {
      const end = start + 1 + Math.floor(random() ** 3 * 40);
      pieces.push(text.slice(start, end));
      start = end;
    }
    splits.push(pieces);
  }
  return splits;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is wrong with the cases of one format, whole and in pieces. */
export function failures(
  cases: readonly ToolCallCase[],
  options: {
    readonly tools: ReadonlyMap<string, OfferedTool>;
    readonly formatFor: (one: ToolCallCase) => AnswerFormat;
    readonly splitsPerCase: number;
  },
): string[] {
  const random = seededRandom(1);
  const wrong: string[] = [];
  for (const one of cases) {
    const parseOptions: ParseOptions = {
      format: options.formatFor(one),
      tools: one.tools === 'none' ? new Map() : options.tools,
      generationPrompt: one.generationPrompt,
      end: one.partial === true ? undefined : one.name.includes('cut') ? 'cut' : 'eos',
    };
    const label = `${one.format ?? ''} ${one.name} ${JSON.stringify(one.text)}`;
    const parsed = parseAnswer([one.text], parseOptions);
    const reason = judge(parsed, one);
    if (reason !== undefined) wrong.push(`${label}: ${reason}`);
    for (const pieces of splitText(one.text, options.splitsPerCase, random)) {
      const other = JSON.stringify(parseAnswer(pieces, parseOptions));
      if (other !== JSON.stringify(parsed)) {
        wrong.push(`${label} in ${JSON.stringify(pieces)}: ${other} instead of ${JSON.stringify(parsed)}`);
      }
    }
  }
  return wrong;
}
