import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { parseTemplate } from '../../src/chat/jinja/parse-template.ts';
import { renderTemplate } from '../../src/chat/jinja/render-template.ts';
import type { RenderResult } from '../../src/chat/jinja/render-template.ts';
import { TemplateRaised, TemplateRuntimeError } from '../../src/chat/jinja/template-error.ts';
import type { ChatMessage, JSONSchema, ToolDefinition } from '../../src/chat/messages.ts';
import { findReasoningPlace } from '../../src/chat/reasoning-history.ts';
import { adaptations } from '../../src/chat/template-adaptations.ts';
import { createChatTemplate } from '../../src/chat/template.ts';
import type { ChatTemplate } from '../../src/chat/template.ts';
import { RivuletError } from '../../src/errors.ts';
import { Metadata } from '../../src/gguf/metadata.ts';

interface OpenAiMessage {
  readonly role: string;
  readonly content: string | readonly { readonly type: 'text'; readonly text: string }[] | null;
  readonly reasoning_content?: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: Record<string, unknown> | string };
  }[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

export interface Conversation {
  readonly messages: readonly OpenAiMessage[];
  readonly tools?: readonly {
    readonly function: {
      readonly name: string;
      readonly description?: string;
      readonly parameters: JSONSchema;
    };
  }[];
}

export interface TemplateCase {
  readonly conversation: string;
  readonly addGenerationPrompt: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rendered?: string;
  readonly raised?: string;
  readonly runtimeError?: string;
  readonly adapted?: {
    readonly changes: readonly string[];
    readonly rendered?: string;
    readonly raised?: string;
  };
}

export interface TemplateCases {
  readonly name: string;
  readonly source: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly now: string;
  readonly cases: readonly TemplateCase[];
}

export interface TemplateFolder {
  readonly conversations: Readonly<Record<string, Conversation>>;
  readonly templates: readonly TemplateCases[];
}

/** Reads a folder in the format of conformance/templates. */
export function readTemplateFolder(folder: string): TemplateFolder {
  const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const index = json('index.json') as readonly { template: string; results: string }[];
  return {
    conversations: json('conversations.json') as Record<string, Conversation>,
    templates: index.map(({ template, results }) => {
      const cases = JSON.parse(gunzipSync(readFileSync(join(folder, results))).toString()) as TemplateCases;
      return Object.assign(cases, { name: template, source: readFileSync(join(folder, template), 'utf8') });
    }),
  };
}

/** What the template makes of the conversation exactly as it stands there, adapted like any other input. */
export function renderConversation(
  templates: TemplateCases,
  conversation: Conversation,
  { addGenerationPrompt, options }: TemplateCase,
): { readonly first: RenderResult; readonly last: RenderResult } {
  const body = parseTemplate(templates.source);
  let first: RenderResult | undefined;
  let last: RenderResult | undefined;
  const input = {
    messages: conversation.messages as unknown as readonly Record<string, unknown>[],
    tools: (conversation.tools ?? null) as unknown as readonly Record<string, unknown>[] | null,
  };
  for (const { messages, tools } of adaptations(input)) {
    last = renderTemplate(body, {
      now: () => new Date(templates.now),
      guarded: { messages, tools },
      variables: {
        documents: null,
        add_generation_prompt: addGenerationPrompt,
        ...templates.variables,
        ...options,
      },
    });
    first ??= last;
    if ('text' in last || !(last.error instanceof TemplateRuntimeError)) break;
  }
  if (first === undefined || last === undefined) throw new Error('a conversation is always tried as it is');
  return { first, last };
}

/** The text, `raised: …` or `failed`. */
export function describeResult(result: RenderResult): string {
  if ('text' in result) return result.text;
  if (result.error instanceof TemplateRaised) return `raised: ${result.error.message}`;
  if (result.error instanceof TemplateRuntimeError) return 'failed';
  throw result.error;
}

/** What a case expects, in the words of {@link describeResult}. */
export function expectedResult({ rendered, raised, adapted }: TemplateCase): string {
  const text = rendered ?? adapted?.rendered;
  if (text !== undefined) return text;
  const message = raised ?? adapted?.raised;
  return message === undefined ? 'failed' : `raised: ${message}`;
}

export function createCaseTemplate(templates: TemplateCases): ChatTemplate {
  const { variables } = templates;
  return createChatTemplate({
    source: templates.source,
    metadata: new Metadata(new Map()),
    now: () => new Date(templates.now),
    tokens: {
      bos: variables['bos_token'] ?? '',
      eos: variables['eos_token'] ?? '',
      unknown: variables['unk_token'] ?? '',
      padding: variables['pad_token'] ?? '',
      controlTexts: ['<s>', '</s>', '<|im_end|>', '<|eot_id|>'],
    },
  });
}

/**
 * Our messages cannot say that content is null, that arguments are text, or that thoughts stand under a key that the
 * template does not know: they put them where it looks.
 */
export function isExpressible({ messages }: Conversation, { source }: TemplateCases): boolean {
  const place = findReasoningPlace(source);
  return messages.every(
    ({ content, thinking, reasoning_content: thoughts, tool_calls: calls = [] }) =>
      content !== null &&
      (thinking === undefined || place === 'thinking') &&
      (thoughts === undefined || place === 'reasoning_content') &&
      calls.every((call) => typeof call.function.arguments === 'object'),
  );
}

/** The same through the public types. */
export function renderChatMessages(
  template: ChatTemplate,
  conversation: Conversation,
  { addGenerationPrompt, options }: TemplateCase,
): string {
  try {
    return template.render({
      messages: conversation.messages.map(toChatMessage),
      ...(conversation.tools === undefined ? {} : { tools: conversation.tools.map(toDefinition) }),
      addGenerationPrompt,
      variables: options,
    }).text;
  } catch (error) {
    if (!RivuletError.isInstance(error) || error.code !== 'TEMPLATE_FAILED') throw error;
    const { raised } = error.details;
    return raised === undefined ? 'failed' : `raised: ${String(raised)}`;
  }
}

function toChatMessage(message: OpenAiMessage): ChatMessage {
  const thoughts = message.reasoning_content ?? message.thinking;
  return {
    role: message.role,
    content: message.content ?? '',
    ...(thoughts === undefined ? {} : { reasoning: thoughts }),
    ...(message.tool_calls === undefined
      ? {}
      : {
          toolCalls: message.tool_calls.map((call) => ({
            id: call.id,
            name: call.function.name,
            arguments: call.function.arguments as Record<string, unknown>,
          })),
        }),
    ...(message.tool_call_id === undefined ? {} : { toolCallId: message.tool_call_id }),
    ...(message.name === undefined ? {} : { toolName: message.name }),
  };
}

function toDefinition(tool: NonNullable<Conversation['tools']>[number]): ToolDefinition {
  return tool.function;
}
