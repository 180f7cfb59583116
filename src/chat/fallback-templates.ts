/** The form of a conversation, for files that do not bring their own template. */
interface FallbackTemplate {
  /** The file fits when its control tokens include all of these. */
  readonly controlTexts: readonly string[];
  /** Or when its architecture is one of these and the control tokens contradict nothing. */
  readonly architectures: readonly string[];
  readonly source: string;
}

/** The systems' words stand in front of the first user's words where a form has no place of its own for them. */
const foldSystem =
  "{%- set ns = namespace(system='') -%}" +
  "{%- if messages and messages[0].role == 'system' -%}{%- set ns.system = messages[0].content + '\\n\\n' -%}" +
  '{%- set messages = messages[1:] -%}{%- endif -%}';

/** OpenAI's ChatML: the most common form, and the one that models without any understand best. */
const chatMl =
  "{%- for message in messages -%}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

/**
 * Known forms, the more particular first (llama.cpp's llama-chat.cpp names the same tokens). They join texts with
 * `+`, which fails for content in parts, so that template-adaptations.ts joins the parts.
 */
const templates: readonly FallbackTemplate[] = [
  { controlTexts: ['<|im_start|>', '<|im_end|>'], architectures: [], source: chatMl },
  {
    // Llama 3
    controlTexts: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
    architectures: [],
    source:
      '{{- bos_token -}}{%- for message in messages -%}' +
      "{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content.strip() + '<|eot_id|>' }}" +
      "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}" +
      '{%- endif -%}',
  },
  {
    // gemma 1-3
    controlTexts: ['<start_of_turn>', '<end_of_turn>'],
    architectures: ['gemma', 'gemma2', 'gemma3', 'gemma3n'],
    source:
      `{{- bos_token -}}${foldSystem}{%- for message in messages -%}` +
      "{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}" +
      "{{- ns.system if loop.first else '' }}{{ message.content.strip() + '<end_of_turn>\\n' }}{%- endfor -%}" +
      "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}",
  },
  {
    // Phi 3
    controlTexts: ['<|user|>', '<|assistant|>', '<|end|>'],
    architectures: ['phi3'],
    source:
      "{%- for message in messages -%}{{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}" +
      "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}",
  },
  {
    // Zephyr and StableLM, whose markers end with the token that ends a text
    controlTexts: ['<|endoftext|>', '<|user|>', '<|assistant|>'],
    architectures: [],
    source:
      "{%- for message in messages -%}{{ '<|' + message.role + '|>\\n' + message.content + eos_token + '\\n' }}" +
      "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}",
  },
  {
    // Granite 3
    controlTexts: ['<|start_of_role|>', '<|end_of_role|>'],
    architectures: ['granite', 'granitemoe'],
    source:
      '{%- for message in messages -%}' +
      "{{ '<|start_of_role|>' + message.role + '<|end_of_role|>' + message.content + '<|end_of_text|>\\n' }}" +
      "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif -%}",
  },
  {
    // Mistral from v2 on: the markers are tokens
    controlTexts: ['[INST]', '[/INST]'],
    architectures: [],
    source:
      `{{- bos_token -}}${foldSystem}{%- for message in messages -%}{%- if message.role == 'assistant' -%}` +
      "{{ ' ' + message.content.strip() + eos_token }}{%- else -%}" +
      "{{ '[INST] ' + (ns.system if loop.last else '') + message.content + '[/INST]' }}{%- endif -%}{%- endfor -%}",
  },
  {
    // OLMo 2 and Tülu
    controlTexts: [],
    architectures: ['olmo2'],
    source:
      "{{- bos_token -}}{%- for message in messages -%}{{ '<|' + message.role + '|>\\n' + message.content }}" +
      "{{- (eos_token if message.role == 'assistant' else '') + ('' if loop.last else '\\n') }}{%- endfor -%}" +
      "{%- if add_generation_prompt -%}{{ '\\n<|assistant|>\\n' }}{%- endif -%}",
  },
];

/** Llama 2: its markers are plain text, so only the vocabulary's kind tells it. */
const llama2 =
  "{%- set ns = namespace(system='') -%}{%- if messages and messages[0].role == 'system' -%}" +
  "{%- set ns.system = '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n' -%}" +
  '{%- set messages = messages[1:] -%}{%- endif -%}{%- for message in messages -%}' +
  "{%- if message.role == 'assistant' -%}{{ ' ' + message.content.strip() + ' ' + eos_token }}{%- else -%}" +
  "{{ bos_token + '[INST] ' + (ns.system if loop.first else '') + message.content.strip() + ' [/INST]' }}" +
  '{%- endif -%}{%- endfor -%}';

/** The template for a file without one; ChatML unless the tokens or the architecture tell something better. */
export function fallbackTemplate(options: {
  readonly architecture: string | undefined;
  /** `tokenizer.ggml.model` */
  readonly tokenizerModel: string | undefined;
  readonly controlTexts: readonly string[];
}): string {
  const known = new Set(options.controlTexts);
  const byTokens = templates.find(
    ({ controlTexts }) => controlTexts.length > 0 && controlTexts.every((text) => known.has(text)),
  );
  if (byTokens !== undefined) return byTokens.source;
  const { architecture } = options;
  const byArchitecture = templates.find(
    ({ architectures }) => architecture !== undefined && architectures.includes(architecture),
  );
  if (byArchitecture !== undefined) return byArchitecture.source;
  return architecture === 'llama' && options.tokenizerModel === 'llama' ? llama2 : chatMl;
}
