import type { FetchOptions, SharedLoadOptions } from '#rivulet';
import type { Warning } from '../../src/events.ts';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';

/** Which model makes vectors or scores of texts, and how it is loaded. */
export interface TextModelInput extends Omit<
  SharedLoadOptions & FetchOptions,
  'signal' | 'vocabularyOnly' | 'chatTemplate' | 'cacheType' | 'contextLength' | 'maxStreams'
> {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  readonly model: string | Model;
  /** Ends what is under way and what comes later, for callers that hand no signal on. @default none */
  readonly signal?: AbortSignal;
  /** Hears of texts that were cut and the like: LangChain has no channel for warnings. @default none */
  readonly onWarning?: (warning: Warning) => void;
}

/** What of the fields says how to load: equal options share one engine, so nothing else may be among them. */
export function pickTextLoadOptions(fields: TextModelInput): SharedLoadOptions & FetchOptions {
  const { threads, dialect, device, cache, modelDirectory, keepAliveMs, onProgress } = fields;
  return defined({ threads, dialect, device, cache, modelDirectory, keepAliveMs, onProgress });
}

/** Whether a constructor got its fields, or the model before them. */
export function isTextModelInput<Input extends TextModelInput>(
  value: string | Model | Input,
): value is Input {
  return typeof value === 'object' && 'model' in value;
}
