import { knownThoughts } from '../chat/formats/detect-output.ts';
import { createChatTemplate } from '../chat/template.ts';
import type { ChatTemplate } from '../chat/template.ts';
import { noTextEngine } from '../embed/text-engine.ts';
import { Metadata } from '../gguf/metadata.ts';
import { createModel } from '../model.ts';
import type { Model } from '../model.ts';
import { createScriptedEngine } from './scripted-engine.ts';
import type { ScriptedPiece, ScriptedRequest } from './scripted-engine.ts';
import { createScriptedTokenizer } from './scripted-tokenizer.ts';

export interface ScriptedModelOptions {
  /** What the model says: one list per request, one element per token. */
  readonly outputs: readonly (readonly ScriptedPiece[])[];
  /** Jinja source. @default ChatML */
  readonly chatTemplate?: string;
  /** Texts that are one token and that no user can type. @default every `<|…|>` of the template */
  readonly controlTexts?: readonly string[];
  /** @default 'scripted' */
  readonly id?: string;
  /** In tokens; a prompt has one per byte. @default 4096 */
  readonly contextLength?: number;
  /** Milliseconds before the first token. @default 0 */
  readonly prefillMs?: number;
  /** Milliseconds before each token. @default 0 */
  readonly delayMs?: number;
}

/** A model that follows a script; `requests` tells what it was asked and how far each request got. */
export interface ScriptedModel extends Model {
  readonly requests: readonly ScriptedRequest[];
}

const chatMl = `{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}`;

const defaultContextLength = 4096;

/**
 * A {@link Model} for tests: it says the given pieces through the real template, detokenizer, stop text,
 * parser and events. A script that is used up fails the request with `INVALID_ARGUMENT`.
 */
export function scriptedModel(options: ScriptedModelOptions): ScriptedModel {
  const source = options.chatTemplate ?? chatMl;
  const controlTexts = options.controlTexts ?? [...new Set(source.match(/<\|[^|<>\s]+\|>/g) ?? [])];
  const contextLength = options.contextLength ?? defaultContextLength;
  const tokenizer = createScriptedTokenizer(controlTexts);
  const engine = createScriptedEngine({
    tokenizer,
    outputs: options.outputs,
    contextLength,
    prefillMs: options.prefillMs ?? 0,
    delayMs: options.delayMs ?? 0,
  });
  let template: ChatTemplate | undefined;
  const model = createModel({
    info: {
      id: options.id ?? 'scripted',
      architecture: 'scripted',
      parameters: 0,
      quantization: 'none',
      fileBytes: 0,
      contextLength,
      trainedContextLength: contextLength,
      vocabularySize: tokenizer.vocabularySize,
      capabilities: {
        chat: true,
        tools: /\btools\b/.test(source),
        reasoning: knownThoughts(source) !== undefined,
        embedding: false,
        reranking: false,
      },
      engine: { dialect: 'portable', device: 'cpu', threads: 1, loadMs: 0 },
    },
    tokenizer,
    template: () =>
      (template ??= createChatTemplate({
        source,
        metadata: new Metadata(new Map()),
        tokens: { bos: '', eos: '', controlTexts },
      })),
    engine,
    texts: noTextEngine(options.id ?? 'scripted'),
  });
  return { ...model, requests: engine.requests };
}
