import { detectOutput } from './chat/formats/detect-output.ts';
import { detectTools } from './chat/formats/detect-tools.ts';
import { markerTexts } from './chat/marker-texts.ts';
import { answerFormat } from './chat/output/read-answer.ts';
import type { PreparedConversation } from './chat/prepare-conversation.ts';
import type { ReasoningFormat } from './chat/reasoning.ts';
import type { ChatTemplate } from './chat/template.ts';
import type { OutputFormat } from './chat/tool-format.ts';
import { RivuletError } from './errors.ts';
import type { GenerationOptions } from './generate/generation-options.ts';
import type { GrammarOption, OutputDemand } from './grammar/output-grammar.ts';
import type { ChatRequest } from './model.ts';
import type { HoldOptions } from './output-holder.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** A model that goes on making calls has lost its way. */
const usualMostCalls = 16;

/** What is known when a conversation was rendered. */
export interface RenderedChat {
  readonly prepared: PreparedConversation;
  readonly output: OutputFormat;
  /** Of the template. */
  readonly source: string;
  readonly startsInReasoning: boolean;
  /** The prompt ends inside the text of an answer. */
  readonly continues: boolean;
  readonly tokenizer: Tokenizer;
}

/** What an answer is held to. @throws {RivuletError} `INVALID_ARGUMENT` */
export function chatDemand(request: ChatRequest, chat: RenderedChat): OutputDemand {
  const { prepared, output, source } = chat;
  const { reasoning } = output;
  const knowsThoughts =
    reasoning !== undefined && (source.includes(reasoning.open) || source.includes(reasoning.close));
  const mayThink =
    !chat.continues && request.reasoning !== 'off' && (knowsThoughts || output.channels !== undefined);
  const { toolChoice } = request;
  const { requiredTool } = prepared;
  const tools = [...prepared.offered]
    .filter(([name]) => requiredTool === undefined || name === requiredTool)
    .map(([name, tool]) => ({ name, callerName: tool.name, parameters: tool.parameters }));
  const answer = answerOption(request);
  return {
    ...(answer === undefined ? {} : { answer }),
    tools,
    toolFormat: prepared.toolFormat,
    mustCall: tools.length > 0 && (toolChoice === 'required' || typeof toolChoice === 'object'),
    mostCalls: mostCalls(request.maxToolCalls),
    format: output,
    thinks: chat.startsInReasoning ? 'inside' : mayThink ? 'may' : 'no',
    stripsSpace: chat.tokenizer.addSpacePrefix === true,
    endTexts: [...chat.tokenizer.endIds].map((id) => chat.tokenizer.tokenText(id)),
  };
}

export function completeDemand({ grammar }: GenerationOptions): OutputDemand {
  return {
    ...(grammar === undefined ? {} : { answer: checkGrammar(grammar) }),
    tools: [],
    mustCall: false,
    mostCalls: 0,
    format: {},
    thinks: 'no',
    stripsSpace: false,
    endTexts: [],
  };
}

export function holdOptions(
  request: GenerationOptions & Pick<ChatRequest, 'reasoning'>,
  format: ReasoningFormat | undefined,
): HoldOptions {
  const { closeGrammar, reasoning } = request;
  return {
    ...(closeGrammar === undefined ? {} : { closes: closeGrammar }),
    ...(typeof reasoning === 'object' && format !== undefined
      ? { budget: { maxTokens: reasoning.maxTokens, format } }
      : {}),
  };
}

/** Texts of special tokens that a parser looks for in outputs. */
export function visibleTexts(template: () => ChatTemplate): readonly string[] {
  try {
    const output = detectOutput(template().source);
    const { format } = detectTools(template());
    return markerTexts(answerFormat(output, format), format);
  } catch (error) {
    // A broken template must not keep the model from completing raw text; chat() reports it.
    if (RivuletError.isInstance(error)) return [];
    throw error;
  }
}

function answerOption({ grammar, responseFormat }: ChatRequest): GrammarOption | undefined {
  const wantsJson = responseFormat?.type === 'json';
  if (grammar === undefined) return wantsJson ? { json: responseFormat.schema ?? {} } : undefined;
  if (!wantsJson) return checkGrammar(grammar);
  throw new RivuletError(
    'INVALID_ARGUMENT',
    'Expected either grammar or a responseFormat of JSON, got both. Leave one of them away.',
    { details: { option: 'grammar' } },
  );
}

function checkGrammar(grammar: GrammarOption): GrammarOption {
  const kinds = ['json', 'gbnf', 'ebnf', 'regex'].filter((kind) => Object.hasOwn(grammar, kind));
  const [kind] = kinds;
  const value: unknown = kind === undefined ? undefined : Reflect.get(grammar, kind);
  if (kinds.length === 1 && (kind === 'json' ? value !== undefined : typeof value === 'string'))
    return grammar;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected grammar to be one of { json }, { gbnf }, { ebnf } and { regex }, found ${kinds.length === 0 ? 'none of them' : `"${kinds.join('" and "')}" of type ${typeof value}`}.`,
    { details: { option: 'grammar' } },
  );
}

function mostCalls(value: number | undefined): number {
  if (value === undefined) return usualMostCalls;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected maxToolCalls to be a whole number above 0, found ${String(value)}.`,
    {
      details: { option: 'maxToolCalls' },
    },
  );
}
