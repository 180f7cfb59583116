import type { GrammarOption } from '../grammar/output-grammar.ts';

/** The steps of the sampler chain that may be reordered or left away, by llama.cpp's names. */
export type SamplerName = 'penalties' | 'top-k' | 'typical' | 'top-p' | 'min-p' | 'temperature';

/**
 * How tokens are chosen and when generation ends. What is not given comes from the file's
 * `general.sampling.*` keys, then from the defaults named here (llama.cpp's).
 */
export interface GenerationOptions {
  /** Most tokens to generate. @default up to the end of the context */
  readonly maxTokens?: number;
  /** 0 = always the most probable token. @default 0.8 */
  readonly temperature?: number;
  /** Keep the k best; 0 = all. @default 40 */
  readonly topK?: number;
  /** Keep the fewest tokens whose probability adds up to p; 1 = all, 0 = the best alone. @default 0.95 */
  readonly topP?: number;
  /** Keep tokens at least this fraction as probable as the best; 0 = all. @default 0.05 */
  readonly minP?: number;
  /** Locally typical sampling (Meister et al. 2022); 1 = off. @default 1 */
  readonly typicalP?: number;
  /** Divides the logits of tokens seen in the last `repeatLastN`; 1 = off. @default 1 */
  readonly repeatPenalty?: number;
  /** Window of the three penalties in tokens, prompt included; -1 = everything, 0 = off. @default 64 */
  readonly repeatLastN?: number;
  /** Subtracted per occurrence. @default 0 */
  readonly frequencyPenalty?: number;
  /** Subtracted once for every token that occurs. @default 0 */
  readonly presencePenalty?: number;
  /** Same seed, same request, same engine: same text. @default random */
  readonly seed?: number;
  /** Texts that end the generation; they are not part of the output. @default none */
  readonly stop?: readonly string[];
  /** Go on after the model's end tokens. @default false */
  readonly ignoreEos?: boolean;
  /** Token id to what is added to its logit; -Infinity forbids the token. @default none */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Order of the chain. @default penalties, top-k, typical, top-p, min-p, temperature */
  readonly samplers?: readonly SamplerName[];
  /** Holds the text of the output to a JSON schema, a grammar or a regular expression that matches all of it. @default none */
  readonly grammar?: GrammarOption;
  /**
   * An output that is held to a grammar gets the shortest end there is in place of a token behind which none would fit
   * in the token limit. @default true
   */
  readonly closeGrammar?: boolean;
  /** 0–100: text and reasoning deltas carry their tokens with this many alternatives. @default none */
  readonly logprobs?: number;
  /** Ends the request; its stream rejects with the signal's reason. @default none */
  readonly signal?: AbortSignal;
  /** Of streams that wait, those of higher priority begin first and are served first. @default 0 */
  readonly priority?: number;
  /**
   * Reuse what earlier requests computed of the same prompt, and keep this one's for later ones. Outputs are the same
   * bits either way; without it nothing of the request stays in memory when it ends. @default true
   */
  readonly cache?: boolean;
}
