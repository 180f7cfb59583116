import { resolveReference } from '../../src/source/resolve.ts';

/** The reference that the examples, `npm start` and the tests on a real model use. */
export const defaultModel = 'smollm2';

/** Path of the default model, fetched into the cache when it is not there. */
export async function defaultModelPath(): Promise<string> {
  return (await resolveReference(defaultModel)).path;
}
