import type { SharedLoadOptions } from '#rivulet';
import type { CompleteRequest } from '../../src/model.ts';

/** What chats and completions have in common. */
export type CompletionOptions = Pick<CompleteRequest, (typeof completionKeys)[number]>;

/** Whitelists: inside agents the options also carry the caller's own keys, functions among them. */
export const completionKeys = [
  'maxTokens',
  'temperature',
  'topK',
  'topP',
  'minP',
  'typicalP',
  'repeatPenalty',
  'repeatLastN',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'ignoreEos',
  'logitBias',
  'samplers',
  'grammar',
  'closeGrammar',
  'logprobs',
  'priority',
] as const;

const loadKeys = [
  'contextLength',
  'threads',
  'dialect',
  'device',
  'maxStreams',
  'cacheType',
  'chatTemplate',
  'vocabularyOnly',
  'keepAliveMs',
  'onProgress',
] as const satisfies readonly (keyof SharedLoadOptions)[];

export function pickLoadOptions(fields: SharedLoadOptions): Omit<SharedLoadOptions, 'signal'> {
  return pick(fields, loadKeys);
}

/** Those of the call over those of the instance. */
export function mergeCompletionOptions(
  fields: CompletionOptions,
  call: CompletionOptions,
): CompletionOptions {
  return { ...pick(fields, completionKeys), ...pick(call, completionKeys) };
}

/** Options as small plain JSON, for traces and cache keys. */
export function toPlainOptions(options: CompletionOptions): Record<string, unknown> {
  const { logitBias, ...rest } = options;
  return logitBias === undefined
    ? rest
    : { ...rest, logitBias: [...logitBias].map(([id, bias]) => [id, String(bias)]) };
}

/** The same text for equal parameters, whatever order they were given in. */
export function toCacheKey(parameters: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those of the keys that have a value. */
export function pick<T extends object, Key extends keyof T>(
  source: T,
  keys: readonly Key[],
): { [K in Key]?: Exclude<T[K], undefined> } {
  const entries = keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]] as const]));
  return Object.fromEntries(entries) as { [K in Key]?: Exclude<T[K], undefined> };
}
