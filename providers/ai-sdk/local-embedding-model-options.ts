import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { parseProviderOptions } from '@ai-sdk/provider-utils';
import { z } from 'zod/v4';

/** What `providerOptions.local` of an embedding call may hold. A type, not an interface: it must fit into a JSON object. */
export type LocalEmbeddingModelOptions = {
  /** What the texts are for: models with instructions for either get theirs in front. */
  kind?: 'query' | 'document' | undefined;
  /** Put in front of every text, instead of what `kind` would. */
  prefix?: string | undefined;
  /** How the tokens' vectors become one. @default the file's */
  pooling?: 'mean' | 'cls' | 'last' | undefined;
  /** Make vectors length 1. @default true */
  normalize?: boolean | undefined;
  /** Cut what is longer than the model takes, with a warning, instead of failing. @default false */
  truncate?: boolean | undefined;
};

/** What `providerOptions.local` of a reranking call may hold. */
export type LocalRerankingModelOptions = {
  /** What "relevant" means, for models that take an instruction. */
  instruction?: string | undefined;
  /** Cut documents that are too long, with a warning, instead of failing. @default false */
  truncate?: boolean | undefined;
};

const embeddingOptions = z.strictObject({
  kind: z.enum(['query', 'document']).optional(),
  prefix: z.string().optional(),
  pooling: z.enum(['mean', 'cls', 'last']).optional(),
  normalize: z.boolean().optional(),
  truncate: z.boolean().optional(),
});

const rerankingOptions = z.strictObject({
  instruction: z.string().optional(),
  truncate: z.boolean().optional(),
});

/** @throws {InvalidArgumentError} when `providerOptions.local` is not of that shape; other keys are ignored. */
export async function parseEmbeddingOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalEmbeddingModelOptions> {
  return (await parseProviderOptions({ provider: 'local', providerOptions, schema: embeddingOptions })) ?? {};
}

/** @throws as {@link parseEmbeddingOptions} */
export async function parseRerankingOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalRerankingModelOptions> {
  return (await parseProviderOptions({ provider: 'local', providerOptions, schema: rerankingOptions })) ?? {};
}
