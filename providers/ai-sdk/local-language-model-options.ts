import type { JSONValue, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { parseProviderOptions } from '@ai-sdk/provider-utils';
import { z } from 'zod/v4';

/** What `providerOptions.local` of a call may hold. A type, not an interface: it must fit into a JSON object. */
export type LocalLanguageModelOptions = {
  /** Keep tokens at least this fraction as probable as the best; 0 = all. */
  minP?: number | undefined;
  /** Locally typical sampling; 1 = off. */
  typicalP?: number | undefined;
  /** Divides the logits of tokens seen in the last `repeatLastN`; 1 = off. */
  repeatPenalty?: number | undefined;
  /** Window of the penalties in tokens; -1 = everything, 0 = off. */
  repeatLastN?: number | undefined;
  /** Go on after the model's end tokens. */
  ignoreEos?: boolean | undefined;
  /** Token id to what is added to its logit; false forbids the token (as in llama.cpp's server). */
  logitBias?: Record<string, number | false> | undefined;
  /** Order of the sampler chain; what is left away is switched off. */
  samplers?: ('penalties' | 'top-k' | 'typical' | 'top-p' | 'min-p' | 'temperature')[] | undefined;
  /** 0–100: deltas carry their tokens with this many alternatives in `providerMetadata.local`. */
  logprobs?: number | undefined;
  /** Most calls of tools in one answer. */
  maxToolCalls?: number | undefined;
  /** Holds text to a grammar in GBNF or EBNF, or to a regular expression that matches all of it. */
  grammar?: { gbnf: string } | { ebnf: string } | { regex: string } | undefined;
  /** Near the token limit an output that is held to a grammar gets the shortest end there is. */
  closeGrammar?: boolean | undefined;
  /** Given to the chat template as they are. */
  templateVariables?: Record<string, JSONValue> | undefined;
};

const localLanguageModelOptions = z.strictObject({
  minP: z.number().min(0).max(1).optional(),
  typicalP: z.number().min(0).max(1).optional(),
  repeatPenalty: z.number().positive().optional(),
  repeatLastN: z.int().min(-1).optional(),
  ignoreEos: z.boolean().optional(),
  logitBias: z.record(z.string().regex(/^\d+$/), z.union([z.number(), z.literal(false)])).optional(),
  samplers: z.array(z.enum(['penalties', 'top-k', 'typical', 'top-p', 'min-p', 'temperature'])).optional(),
  logprobs: z.int().min(0).max(100).optional(),
  maxToolCalls: z.int().positive().optional(),
  grammar: z
    .union([
      z.strictObject({ gbnf: z.string() }),
      z.strictObject({ ebnf: z.string() }),
      z.strictObject({ regex: z.string() }),
    ])
    .optional(),
  closeGrammar: z.boolean().optional(),
  templateVariables: z.record(z.string(), z.json()).optional(),
});

/** @throws {InvalidArgumentError} when `providerOptions.local` is not of that shape; other keys are ignored. */
export async function parseLocalOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalLanguageModelOptions> {
  const options = await parseProviderOptions({
    provider: 'local',
    providerOptions,
    schema: localLanguageModelOptions,
  });
  return options ?? {};
}
