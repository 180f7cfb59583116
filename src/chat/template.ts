import type { Metadata } from '../gguf/metadata.ts';
import { fallbackTemplate } from './fallback-templates.ts';
import type { Node } from './jinja/nodes.ts';
import { parseTemplate } from './jinja/parse-template.ts';
import { renderTemplate } from './jinja/render-template.ts';
import type { LocatedError } from './jinja/render-template.ts';
import { TemplateRuntimeError, TemplateSyntaxError } from './jinja/template-error.ts';
import { maximumRunTimeMs } from './jinja/template-limits.ts';
import type { ChatMessage, ToolDefinition } from './messages.ts';
import { findReasoningPlace } from './reasoning-history.ts';
import { reasoningVariables } from './reasoning-variables.ts';
import type { ReasoningEffort } from './reasoning-variables.ts';
import { adaptations } from './template-adaptations.ts';
import { toRivuletError } from './template-failure.ts';
import { toTemplateMessage, toTemplateTool } from './template-messages.ts';
import type { TemplateConversation } from './template-messages.ts';
import { prepareGuards } from './text-guards.ts';

/** A conversation as the model will see it. */
export interface RenderedPrompt {
  readonly text: string;
  /** Ascending offsets (UTF-16 units) in the text that no control token may span: they lie in untrusted text. */
  readonly guards: readonly number[];
}

export interface TemplateInput {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[];
  /** End the prompt with the opening of the assistant's turn. @default true */
  readonly addGenerationPrompt?: boolean;
  /** Absent = what the template does by itself. */
  readonly reasoning?: ReasoningEffort;
  /** Given to the template as they are, over our own. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Messages and tools to prompt text. */
export interface ChatTemplate {
  /** Jinja source, as it is used without tools. */
  readonly source: string;
  /** Jinja source for requests with tools, if it is another one. */
  readonly toolSource?: string;
  /** Texts of the vocabulary's control tokens. */
  readonly controlTexts: readonly string[];
  /** `fallback`: the file has no template, the form was chosen by its tokens and architecture. */
  readonly origin: 'option' | 'file' | 'fallback';
  /**
   * @throws {RivuletError} `TEMPLATE_FAILED` (details `line`, `raised` when the template itself refuses),
   *   `TEMPLATE_LIMIT_EXCEEDED`, `UNSUPPORTED` for content that is no text, `INVALID_ARGUMENT` for variables that no
   *   template can take
   */
  render(input: TemplateInput): RenderedPrompt;
}

export interface ChatTemplateOptions {
  /** Jinja source instead of the file's own. */
  readonly source?: string;
  readonly metadata: Metadata;
  /** Texts of the special tokens; empty where the vocabulary has none. */
  readonly tokens: {
    readonly bos: string;
    readonly eos: string;
    readonly unknown?: string;
    readonly padding?: string;
    /** What is never recognised in the words of a user. */
    readonly controlTexts: readonly string[];
  };
  /** The clock of `strftime_now`. @default the system's */
  readonly now?: () => Date;
}

/**
 * The chat template of a file, or the given one, or the form that fits the file best; as transformers'
 * `apply_chat_template` renders it.
 * @throws {RivuletError} `TEMPLATE_FAILED` when it is no valid Jinja, `TEMPLATE_LIMIT_EXCEEDED`
 */
export function createChatTemplate(options: ChatTemplateOptions): ChatTemplate {
  const { tokens, now = () => new Date() } = options;
  const { source, origin, toolSource } = chooseSource(options);
  const body = parse(source);
  const place = findReasoningPlace(source);
  const guardsOf = prepareGuards(tokens.controlTexts);
  let toolBody: readonly Node[] | undefined;

  const render = (input: TemplateInput): RenderedPrompt => {
    const hasTools = input.tools !== undefined && input.tools.length > 0;
    const isToolSource = hasTools && toolSource !== undefined;
    if (isToolSource) toolBody ??= parse(toolSource);
    const usedBody = (isToolSource ? toolBody : undefined) ?? body;
    const conversation: TemplateConversation = {
      messages: input.messages.map((message) => toTemplateMessage(message, place)),
      tools: hasTools ? (input.tools ?? []).map(toTemplateTool) : null,
    };
    const variables: Readonly<Record<string, unknown>> = {
      documents: null,
      add_generation_prompt: input.addGenerationPrompt ?? true,
      bos_token: tokens.bos,
      eos_token: tokens.eos,
      unk_token: tokens.unknown,
      pad_token: tokens.padding,
      ...reasoningVariables(input.reasoning, isToolSource ? toolSource : source),
      ...input.variables,
    };
    const guards = guardsOf(conversation, [variables, source, toolSource]);
    const deadlineMs = performance.now() + maximumRunTimeMs;
    let failure: LocatedError | undefined;
    for (const adapted of adaptations(conversation)) {
      const result = renderTemplate(usedBody, {
        now,
        deadlineMs,
        mark: guards.mark,
        guard: (text) => guards.guard(text),
        guarded: { messages: adapted.messages, tools: adapted.tools },
        variables,
      });
      if ('text' in result) return guards.remove(result.text);
      if (!(result.error instanceof TemplateRuntimeError)) throw toRivuletError(result);
      failure ??= result;
    }
    throw toRivuletError(failure ?? { error: undefined, line: 1 });
  };

  const { controlTexts } = tokens;
  return { source, origin, controlTexts, ...(toolSource === undefined ? {} : { toolSource }), render };
}

/** Whether a template has a form for tools: it could not show them without their variable. */
export function namesTools({ source, toolSource = source }: ChatTemplate): boolean {
  return /\btools\b/.test(toolSource);
}

interface ChosenSource {
  readonly source: string;
  readonly origin: ChatTemplate['origin'];
  /** The file's own template for requests with tools. */
  readonly toolSource?: string;
}

function chooseSource(options: ChatTemplateOptions): ChosenSource {
  const { metadata } = options;
  if (options.source !== undefined) return { source: options.source, origin: 'option' };
  const named = (name: string): string | undefined =>
    metadata.optionalString(`tokenizer.chat_template.${name}`) || undefined;
  const source = plainSource(metadata) ?? named('default');
  if (source !== undefined) {
    const toolSource = named('tool_use');
    return { source, origin: 'file', ...(toolSource === undefined ? {} : { toolSource }) };
  }
  const fallback = fallbackTemplate({
    architecture: metadata.optionalString('general.architecture'),
    tokenizerModel: metadata.optionalString('tokenizer.ggml.model'),
    controlTexts: options.tokens.controlTexts,
  });
  return { source: fallback, origin: 'fallback' };
}

/** Some converters write a list of templates, the default one first. */
function plainSource(metadata: Metadata): string | undefined {
  const key = 'tokenizer.chat_template';
  const value = metadata.value(key);
  const source = Array.isArray(value) ? metadata.optionalStrings(key)?.[0] : metadata.optionalString(key);
  return source || undefined;
}

function parse(source: string): readonly Node[] {
  try {
    return parseTemplate(source);
  } catch (error) {
    throw toRivuletError({ error, line: error instanceof TemplateSyntaxError ? error.line : 1 });
  }
}
