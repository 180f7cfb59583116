import { Template } from '@huggingface/jinja';

import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { ChatMessage, ToolDefinition } from './messages.ts';

export interface RenderedPrompt {
  readonly text: string;
  /** Offsets in the text that no special token may span. */
  readonly guards: readonly number[];
}

export interface TemplateInput {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[];
  readonly addGenerationPrompt?: boolean;
  readonly reasoning?: 'off' | 'low' | 'medium' | 'high' | { readonly maxTokens: number };
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface ChatTemplate {
  readonly source: string;
  readonly origin: 'option' | 'file' | 'fallback';
  render(input: TemplateInput): RenderedPrompt;
}

export interface ChatTemplateOptions {
  readonly source?: string;
  readonly metadata: Metadata;
  readonly tokens: {
    readonly bos: string;
    readonly eos: string;
    readonly unknown?: string;
    readonly padding?: string;
    readonly controlTexts: readonly string[];
  };
}

const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** The template of a file, rendered by the library as it is. @throws {RivuletError} `TEMPLATE_FAILED` */
export function createChatTemplate(options: ChatTemplateOptions): ChatTemplate {
  const file = options.metadata.optionalString('tokenizer.chat_template');
  const source = options.source ?? file ?? chatMl;
  const origin = options.source !== undefined ? 'option' : file === undefined ? 'fallback' : 'file';
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw new RivuletError('TEMPLATE_FAILED', `The chat template failed: ${String(cause)}`, { cause });
    }
  };
  const template = attempt(() => new Template(source));
  return {
    source,
    origin,
    render: ({ messages, addGenerationPrompt = true, variables }) => ({
      text: attempt(() =>
        template.render({
          messages,
          add_generation_prompt: addGenerationPrompt,
          bos_token: options.tokens.bos,
          eos_token: options.tokens.eos,
          ...variables,
        }),
      ),
      guards: [],
    }),
  };
}
