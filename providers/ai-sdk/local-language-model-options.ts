import { InvalidArgumentError } from '@ai-sdk/provider';
import type { JSONValue, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { z } from 'zod/v4';
import { parseOptions } from './parse-options.ts';

/** What `providerOptions.local` of a call may hold. A type, not an interface: it must fit into a JSON object. */
export type LocalLanguageModelOptions = {
  /** Keep tokens at least this fraction as probable as the best, 0–1; 0 = all. @default the file's, else 0.05 */
  minP?: number | undefined;
  /** Locally typical sampling, 0–1; 1 = off. @default 1 */
  typicalP?: number | undefined;
  /** Divides the logits of tokens seen in the last `repeatLastN`; 1 = off. @default the file's, else 1 */
  repeatPenalty?: number | undefined;
  /** Window of all penalties in tokens, prompt included; -1 = everything, 0 = off. @default the file's, else 64 */
  repeatLastN?: number | undefined;
  /** Go on after the model's end tokens. @default false */
  ignoreEos?: boolean | undefined;
  /** Token id to what is added to its logit; false forbids the token (as in llama.cpp's server). @default none */
  logitBias?: Record<string, number | false> | undefined;
  /**
   * Order of the sampler chain; what is left away is switched off.
   * @default the file's, else penalties, top-k, typical, top-p, min-p, temperature
   */
  samplers?: ('penalties' | 'top-k' | 'typical' | 'top-p' | 'min-p' | 'temperature')[] | undefined;
  /** Deltas carry their tokens with this many alternatives, 0–100, in `providerMetadata.local`. @default none */
  logprobs?: number | undefined;
  /**
   * How much the model thinks before it answers, over the portable `reasoning` of the call: `none`, a level that its
   * template knows, or a budget in tokens, at which the thoughts are closed. @default what the template does by itself
   */
  reasoning?: 'none' | 'low' | 'medium' | 'high' | { maxTokens: number } | undefined;
  /** Most calls of tools in one answer, also where `toolChoice` requires one. @default 16 */
  maxToolCalls?: number | undefined;
  /** Whether an answer may hold several calls; `false` is `maxToolCalls: 1`. @default true */
  parallelToolCalls?: boolean | undefined;
  /**
   * Holds text to a JSON schema, a grammar in GBNF or EBNF, or a regular expression that matches all of it; instead of
   * `output`, not beside it. @default none
   */
  grammar?:
    | { json: boolean | Record<string, JSONValue> }
    | { gbnf: string }
    | { ebnf: string }
    | { regex: string }
    | undefined;
  /** Near the token limit an output that is held to a grammar gets the shortest end there is. @default true */
  closeGrammar?: boolean | undefined;
  /**
   * Put the schema of the output into the prompt, in words: always, or never.
   * @default where the conversation does not name all its properties already
   */
  injectJsonSchema?: boolean | undefined;
  /**
   * Reuse what earlier calls computed of the same beginning of a prompt, and keep this call's for later ones; the
   * output is the same either way. @default true
   */
  cache?: boolean | undefined;
  /** Of calls that wait for the engine, those of higher priority go first. @default 0 */
  priority?: number | undefined;
  /** Given to the chat template as they are, over our own. @default none */
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
  reasoning: z
    .union([z.enum(['none', 'low', 'medium', 'high']), z.strictObject({ maxTokens: z.int().min(0) })])
    .optional(),
  maxToolCalls: z.int().positive().optional(),
  parallelToolCalls: z.boolean().optional(),
  grammar: z
    .union([
      z.strictObject({ json: z.union([z.boolean(), z.record(z.string(), z.json())]) }),
      z.strictObject({ gbnf: z.string() }),
      z.strictObject({ ebnf: z.string() }),
      z.strictObject({ regex: z.string() }),
    ])
    .optional(),
  closeGrammar: z.boolean().optional(),
  injectJsonSchema: z.boolean().optional(),
  cache: z.boolean().optional(),
  priority: z.number().optional(),
  templateVariables: z.record(z.string(), z.json()).optional(),
});

/** @throws {InvalidArgumentError} when `providerOptions.local` is not of that shape; other keys are ignored. */
export async function parseLocalOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalLanguageModelOptions> {
  const options = await parseOptions(providerOptions, localLanguageModelOptions);
  if (options.parallelToolCalls === false && (options.maxToolCalls ?? 1) > 1) {
    throw new InvalidArgumentError({
      argument: 'providerOptions',
      message: `The options parallelToolCalls: false and maxToolCalls: ${options.maxToolCalls} contradict each other; give one of them.`,
    });
  }
  return options;
}
