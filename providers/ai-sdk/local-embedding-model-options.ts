import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { z } from 'zod/v4';
import { parseOptions } from './parse-options.ts';

/** What `providerOptions.local` of an embedding call may hold. A type, not an interface: it must fit into a JSON object. */
export type LocalEmbeddingModelOptions = {
  /**
   * Elements per vector: cut and made length 1 again, for models trained so (Matryoshka); the call's own `dimensions` go
   * first. @default the model's
   */
  dimensions?: number | undefined;
  /** What the texts are for: models with instructions for either get theirs in front. @default as they are */
  kind?: 'query' | 'document' | undefined;
  /** Put in front of every text, instead of what `kind` would. @default nothing */
  prefix?: string | undefined;
  /** How the tokens' vectors become one. @default the file's */
  pooling?: 'mean' | 'cls' | 'last' | undefined;
  /** Make vectors length 1. @default true */
  normalize?: boolean | undefined;
  /** Cut what is longer than the model takes, with a warning, instead of failing. @default false */
  truncate?: boolean | undefined;
};

const embeddingOptions = z.strictObject({
  dimensions: z.int().positive().optional(),
  kind: z.enum(['query', 'document']).optional(),
  prefix: z.string().optional(),
  pooling: z.enum(['mean', 'cls', 'last']).optional(),
  normalize: z.boolean().optional(),
  truncate: z.boolean().optional(),
});

/** @throws {InvalidArgumentError} when `providerOptions.local` is not of that shape; other keys are ignored. */
export async function parseEmbeddingOptions(
  providerOptions: SharedV4ProviderOptions | undefined,
): Promise<LocalEmbeddingModelOptions> {
  return parseOptions(providerOptions, embeddingOptions);
}
