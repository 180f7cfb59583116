import { InvalidArgumentError } from '@ai-sdk/provider';
import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { parseProviderOptions } from '@ai-sdk/provider-utils';
import { z } from 'zod/v4';
import { describeIssues } from './describe-issues.ts';

/**
 * What `providerOptions.local` holds; other keys are ignored.
 *
 * @throws {InvalidArgumentError} that names every option that is wrong
 */
export async function parseOptions<T extends object>(
  providerOptions: SharedV4ProviderOptions | undefined,
  schema: z.ZodType<T>,
): Promise<Partial<T>> {
  try {
    return (await parseProviderOptions({ provider: 'local', providerOptions, schema })) ?? {};
  } catch (error) {
    if (!InvalidArgumentError.isInstance(error)) throw error;
    const issues = issuesOf(error);
    if (issues === undefined) throw error;
    throw new InvalidArgumentError({
      argument: 'providerOptions',
      message: `${error.message}: ${describeIssues(issues)}.`,
      cause: error.cause,
    });
  }
}

/** The SDK's own error holds a failed validation, which holds what zod found. */
function issuesOf({ cause }: InvalidArgumentError): readonly z.core.$ZodIssue[] | undefined {
  const found = cause instanceof Error ? cause.cause : undefined;
  return found instanceof z.core.$ZodError ? found.issues : undefined;
}
