import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider';
import type {
  JSONObject,
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider-v3';
import { z } from 'zod/v4';

import type { LocalLanguageModelOptions as OptionsV4 } from '../local-language-model-options.ts';
import { toContentV3, toFinishReasonV3, toStreamPartV3, toWarningsV3 } from './to-content-v3.ts';
import { toPromptV4 } from './to-prompt-v4.ts';

type ReasoningLevel = NonNullable<LanguageModelV4CallOptions['reasoning']>;

const levels: z.ZodType<ReasoningLevel> = z.enum([
  'provider-default',
  'none',
  'minimal',
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
]);

/** What `providerOptions.local` of a call may hold. */
export type LocalLanguageModelOptions = Omit<OptionsV4, 'templateVariables' | 'reasoning' | 'grammar'> & {
  /** Given to the chat template as they are. */
  templateVariables?: JSONObject | undefined;
  /** As in `rivulet/ai-sdk`. */
  grammar?:
    | { json: boolean | JSONObject }
    | Exclude<NonNullable<OptionsV4['grammar']>, { json: unknown }>
    | undefined;
  /** How much the model thinks before it answers: a level, for which `ai` 7 has a setting, or a budget in tokens. */
  reasoning?: ReasoningLevel | { maxTokens: number } | undefined;
};

/** The same model for `ai` 6. */
export function toLanguageModelV3(model: LanguageModelV4): LanguageModelV3 {
  return {
    specificationVersion: 'v3',
    provider: model.provider,
    modelId: model.modelId,
    supportedUrls: model.supportedUrls,
    async doGenerate(options) {
      const result = await model.doGenerate(toCallOptionsV4(options));
      return {
        ...result,
        content: toContentV3(result.content),
        finishReason: toFinishReasonV3(result.finishReason),
        warnings: toWarningsV3(result.warnings),
      } as LanguageModelV3GenerateResult;
    },
    async doStream(options) {
      const { stream, ...rest } = await model.doStream(toCallOptionsV4(options));
      return { ...rest, stream: toStreamV3(stream) };
    },
  };
}

/** Version 3 has no setting for reasoning: its level stands among our own options. */
function toCallOptionsV4(options: LanguageModelV3CallOptions): LanguageModelV4CallOptions {
  const prompt = toPromptV4(options.prompt);
  const { reasoning, ...localOptions } = options.providerOptions?.['local'] ?? {};
  const level = levels.safeParse(reasoning);
  // Anything else is left for the model to refuse.
  if (!level.success) return { ...options, prompt };
  return {
    ...options,
    prompt,
    reasoning: level.data,
    providerOptions: { ...options.providerOptions, local: localOptions },
  };
}

/** Pulled like its source: a transform stream of the usual kind reads ahead. */
function toStreamV3(
  stream: ReadableStream<LanguageModelV4StreamPart>,
): ReadableStream<LanguageModelV3StreamPart> {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          return;
        }
        const part = toStreamPartV3(value);
        if (part === undefined) continue;
        controller.enqueue(part);
        return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
