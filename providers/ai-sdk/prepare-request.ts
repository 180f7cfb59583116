import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  SharedV4Warning,
} from '@ai-sdk/provider';
import { mapReasoningToProviderEffort } from '@ai-sdk/provider-utils';
import type { ChatMessage, JSONSchema, ToolDefinition } from '../../src/chat/messages.ts';
import type { ChatRequest } from '../../src/model.ts';
import { convertPrompt } from './convert-prompt.ts';
import { defined } from '../defined.ts';
import { parseLocalOptions } from './local-language-model-options.ts';
import type { LocalLanguageModelOptions } from './local-language-model-options.ts';

export interface PreparedRequest {
  /** Without the signal. */
  readonly request: ChatRequest;
  readonly warnings: readonly SharedV4Warning[];
}

/**
 * Call options to a chat request, before anything is loaded. What the model itself cannot do (tools, JSON)
 * goes along: it answers with warnings.
 *
 * @throws {InvalidArgumentError} {@link UnsupportedFunctionalityError}
 */
export async function prepareRequest(options: LanguageModelV4CallOptions): Promise<PreparedRequest> {
  const warnings: SharedV4Warning[] = [];
  const localOptions = await parseLocalOptions(options.providerOptions);
  const messages = convertPrompt(options.prompt);
  const request: ChatRequest = {
    messages,
    ...prepareContinuation(messages, warnings),
    ...prepareTools(options, warnings),
    ...prepareResponseFormat(options.responseFormat, localOptions.injectJsonSchema),
    ...prepareReasoning(options.reasoning, localOptions.reasoning, warnings),
    ...defined({
      maxTokens: options.maxOutputTokens,
      temperature: options.temperature,
      topP: options.topP,
      topK: options.topK,
      presencePenalty: options.presencePenalty,
      frequencyPenalty: options.frequencyPenalty,
      seed: options.seed,
      stop: options.stopSequences,
    }),
    ...prepareLocalOptions(localOptions),
  };
  return { request, warnings };
}

/** A prompt that ends with words or thoughts of the assistant is one to go on with. */
function prepareContinuation(
  messages: readonly ChatMessage[],
  warnings: SharedV4Warning[],
): Pick<ChatRequest, 'continueFinalMessage'> {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return {};
  if (last.toolCalls === undefined) return { continueFinalMessage: true };
  warnings.push({
    type: 'other',
    message:
      'The prompt ends with an assistant message that calls tools, which cannot be continued: it is rendered as a finished turn, and the model begins a new one.',
  });
  return {};
}

function prepareTools(
  { tools, toolChoice }: LanguageModelV4CallOptions,
  warnings: SharedV4Warning[],
): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  const definitions: ToolDefinition[] = [];
  for (const tool of tools ?? []) {
    if (tool.type === 'provider') {
      warnings.push({ type: 'unsupported', feature: `provider-defined tool ${tool.id}` });
      continue;
    }
    definitions.push(convertTool(tool));
    if ((tool.inputExamples ?? []).length === 0) continue;
    warnings.push({
      type: 'unsupported',
      feature: `input examples of tool ${tool.name}`,
      details: 'Wrap the model with addToolInputExamplesMiddleware: it puts them into the description.',
    });
  }
  return {
    ...(definitions.length === 0 ? {} : { tools: definitions }),
    // `auto` is always there, also without tools, and is our default.
    ...(toolChoice === undefined || toolChoice.type === 'auto'
      ? {}
      : { toolChoice: toolChoice.type === 'tool' ? { name: toolChoice.toolName } : toolChoice.type }),
  };
}

function convertTool(tool: LanguageModelV4FunctionTool): ToolDefinition {
  return {
    name: tool.name,
    parameters: { ...tool.inputSchema },
    ...defined({ description: tool.description, strict: tool.strict }),
  };
}

function prepareResponseFormat(
  format: LanguageModelV4CallOptions['responseFormat'],
  inPrompt: boolean | undefined,
): Pick<ChatRequest, 'responseFormat'> {
  if (format?.type !== 'json') return {};
  const { name, description } = format;
  const schema: JSONSchema | undefined = format.schema === undefined ? undefined : { ...format.schema };
  return { responseFormat: { type: 'json', ...defined({ schema, name, description, inPrompt }) } };
}

/** Ours goes first; portable levels between ours go to the nearest one, with a warning. */
function prepareReasoning(
  reasoning: LanguageModelV4CallOptions['reasoning'],
  own: LocalLanguageModelOptions['reasoning'],
  warnings: SharedV4Warning[],
): Pick<ChatRequest, 'reasoning'> {
  const level =
    own ??
    mapReasoningToProviderEffort<'none' | 'low' | 'medium' | 'high'>({
      reasoning,
      effortMap: { none: 'none', low: 'low', medium: 'medium', high: 'high' },
      warnings,
    });
  if (level === undefined) return {};
  return { reasoning: level === 'none' ? 'off' : level };
}

function prepareLocalOptions(options: LocalLanguageModelOptions): Partial<ChatRequest> {
  const { logitBias, parallelToolCalls, reasoning: _reasoning, injectJsonSchema: _inject, ...rest } = options;
  const plain = { ...defined(rest), ...(parallelToolCalls === false ? { maxToolCalls: 1 } : {}) };
  if (logitBias === undefined) return plain;
  const entries = Object.entries(logitBias).map(([id, bias]): [number, number] => [
    Number(id),
    bias === false ? Number.NEGATIVE_INFINITY : bias,
  ]);
  return { ...plain, logitBias: new Map(entries) };
}
