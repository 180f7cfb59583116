import type { LanguageModel } from 'ai';
import { createLocal } from 'rivulet/ai-sdk';
import type { Progress } from 'rivulet';
import { scriptedAnswers } from './scripted-answers';

/** Any reference that rivulet understands: a path, `hf:owner/repo:Q4_K_M`, an alias … or `scripted`. */
export const modelReference = process.env['MODEL'] ?? 'smollm2';

/** Equal settings share one engine: every route gets the same. */
const local = createLocal({ contextLength: 8192 });

interface LoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Loads the model when it is not there; whoever comes meanwhile waits for the same load. */
export async function chatModel(options: LoadOptions): Promise<LanguageModel> {
  // Without any model: for work on the pages.
  if (modelReference === 'scripted') return local(scriptedAnswers);
  await local.load(modelReference, options);
  return local(modelReference);
}
