import { dereference, validate } from '@cfworker/json-schema';

import type { JSONSchema } from './chat/messages.ts';
import type { ReasoningFormat } from './chat/reasoning.ts';
import type { GenerateEvent, Warning } from './events.ts';
import { nextTurn } from './generate/next-turn.ts';
import { GrammarEngine } from './grammar/grammar-engine.ts';
import type { GrammarMaskOptions } from './grammar/grammar-mask.ts';
import { needsGrammar, outputGrammar } from './grammar/output-grammar.ts';
import type { OutputDemand, OutputGrammar } from './grammar/output-grammar.ts';
import { outputFailure } from './output-failure.ts';
import { ThoughtBudget } from './grammar/thought-budget.ts';
import type { TokenMask } from './grammar/token-mask.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** One output that is held to what was asked for. */
export interface HeldOutput {
  /** What the grammar cannot hold the output to. */
  readonly warnings: readonly Warning[];
  /** Made anew for each request, and only when it begins: compiling takes a while the first time. */
  mask(): Promise<TokenMask | undefined>;
  /** Adds to `finish` what of the output is not as its schemas want it. */
  check(events: AsyncIterable<GenerateEvent>): AsyncIterable<GenerateEvent>;
}

export interface HoldOptions extends GrammarMaskOptions {
  readonly budget?: {
    readonly maxTokens: number;
    readonly format: ReasoningFormat;
  };
}

/** Grammars that were made from schemas are kept for the next request with the same ones. */
const maximumKept = 32;

/** Holds the outputs of one model. */
export class OutputHolder {
  readonly #tokenizer: Tokenizer;
  readonly #visible: () => readonly string[];
  readonly #made = new Map<string, OutputGrammar>();
  #engine: GrammarEngine | undefined;

  /** @param visible texts of special tokens that outputs may hold: markers of thoughts and calls */
  constructor(tokenizer: Tokenizer, visible: () => readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#visible = visible;
  }

  /** @throws {RivuletError} `GRAMMAR_INVALID`, `GRAMMAR_TOO_LARGE`, `SCHEMA_INVALID` */
  hold(demand: OutputDemand, options: HoldOptions): HeldOutput {
    const key = needsGrammar(demand) ? keyOf(demand) : undefined;
    const made = key === undefined ? undefined : this.#make(key, demand);
    const inner = async (): Promise<TokenMask | undefined> => {
      if (key === undefined || made === undefined) return undefined;
      this.#engine ??= new GrammarEngine(this.#tokenizer, {
        visible: new Set(this.#visible().map((text) => this.#tokenizer.idOf(text))),
      });
      await this.#engine.prepare(nextTurn);
      return this.#engine.mask(key, () => made.grammar, options);
    };
    return {
      warnings: made === undefined ? [] : warningsOf(made, demand),
      mask: async () => {
        const mask = await inner();
        const { budget } = options;
        if (budget === undefined) return mask;
        return new ThoughtBudget({
          tokenizer: this.#tokenizer,
          format: budget.format,
          maxTokens: budget.maxTokens,
          startsInside: demand.thinks === 'inside',
          ...(mask === undefined ? {} : { inner: mask }),
        });
      },
      check: (events) => (made === undefined || isEnforced(made) ? events : checked(events, demand)),
    };
  }

  #make(key: string, demand: OutputDemand): OutputGrammar {
    let made = this.#made.get(key);
    if (made === undefined) {
      if (this.#made.size >= maximumKept) this.#made.clear();
      try {
        made = outputGrammar(demand);
      } catch (error) {
        throw outputFailure(error, demand);
      }
      this.#made.set(key, made);
    }
    return made;
  }
}

/** Formats are data of the model and known by their names; everything else is the caller's. */
function keyOf({ answer, tools, toolFormat, mustCall, mostCalls, thinks }: OutputDemand): string {
  return JSON.stringify([toolFormat?.name, answer, tools, mustCall, mostCalls, thinks]);
}

function isEnforced({ unenforced, unenforcedArguments }: OutputGrammar): boolean {
  return unenforced.length === 0 && unenforcedArguments.length === 0;
}

function warningsOf({ unenforced, unenforcedArguments }: OutputGrammar, { tools }: OutputDemand): Warning[] {
  const callerName = (tool: string): string => tools.find(({ name }) => name === tool)?.callerName ?? tool;
  const advice = 'the output is checked against it at its end, and finish tells when it does not hold';
  return [
    ...unenforced.map((path): Warning => ({
      type: 'compatibility',
      feature: 'schema',
      message: `${path} is not enforced while the output is made: ${advice}.`,
    })),
    ...unenforcedArguments.map(({ tool, path }): Warning => ({
      type: 'compatibility',
      feature: 'tools',
      message: `${path} of the tool "${callerName(tool)}" is not enforced while the call is made: ${advice}.`,
    })),
  ];
}

async function* checked(
  events: AsyncIterable<GenerateEvent>,
  { answer, tools }: OutputDemand,
): AsyncGenerator<GenerateEvent, void, undefined> {
  let text = '';
  const warnings: Warning[] = [];
  for await (const event of events) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'tool-call') {
      const tool = tools.find(({ callerName, name }) => (callerName ?? name) === event.toolName);
      if (tool !== undefined) {
        warnings.push(...violations(event.input, tool.parameters, `The call of "${event.toolName}"`));
      }
    }
    if (event.type !== 'finish') {
      yield event;
      continue;
    }
    if (answer !== undefined && 'json' in answer && text.trim() !== '') {
      warnings.push(...violations(text, answer.json, 'The output'));
    }
    yield warnings.length === 0 ? event : { ...event, warnings };
  }
}

function violations(json: string, schema: JSONSchema, what: string): Warning[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // It was cut, which `finish` says anyway.
    return [];
  }
  // Validation marks the parts of the schema, which is the caller's.
  const own = JSON.parse(JSON.stringify(schema)) as never;
  const { valid, errors } = validate(value, own, '2020-12', dereference(own));
  if (valid) return [];
  const last = errors.at(-1);
  return [
    {
      type: 'other',
      feature: 'schema',
      message: `${what} is not valid: ${last?.instanceLocation ?? '#'} fails ${last?.keywordLocation ?? 'the schema'}.`,
    },
  ];
}
