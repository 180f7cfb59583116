import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { z } from 'zod/v4';
import { parseOptions } from './parse-options.ts';

/** What `providerOptions.local` of a reranking call may hold. A type, not an interface: it must fit into a JSON object. */
export type LocalRerankingModelOptions = {
  /** What "relevant" means, for models that take an instruction. @default the model's own words */
  instruction?: string | undefined;
  /** Cut documents that are too long together with the query, with a warning, instead of failing. @default false */
  truncate?: boolean | undefined;
};

const rerankingOptions = z.strictObject({
  instruction: z.string().optional(),
  truncate: z.boolean().optional(),
});

/** @throws {InvalidArgumentError} when `providerOptions.local` is not of that shape; other keys are ignored. */
export async function parseRerankingOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalRerankingModelOptions> {
  return parseOptions(providerOptions, rerankingOptions);
}
