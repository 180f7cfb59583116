import { serializeModelOptions } from '@ai-sdk/provider-utils';
import { sharedModel } from '#rivulet';
import type { SharedModel } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { toLoadOptions } from './local-provider-settings.ts';
import type { HandleSettings } from './local-provider-settings.ts';

/** Flat, so that serialization drops what is no JSON (a listener, a loaded model) and keeps the rest. */
export interface ModelHandleConfig extends HandleSettings {
  /** For example `local.chat`. */
  readonly provider: string;
  /** Used instead of loading one. */
  readonly model?: Model;
  readonly headers?: never;
}

/** A cheap handle on a model, of whatever kind: the first request loads it, and equal handles share one engine. */
export abstract class ModelHandle {
  readonly modelId: string;
  readonly #config: ModelHandleConfig;
  readonly #shared: SharedModel;

  constructor(modelId: string, config: ModelHandleConfig) {
    this.modelId = modelId;
    this.#config = config;
    const { provider: _provider, model, headers: _headers, ...settings } = config;
    this.#shared = sharedModel(model ?? modelId, toLoadOptions(settings));
  }

  get provider(): string {
    return this.#config.provider;
  }

  /** What another process can make the same handle from. */
  protected static serialize(handle: ModelHandle): ReturnType<typeof serializeModelOptions> {
    return serializeModelOptions({ modelId: handle.modelId, config: handle.#config });
  }

  /** @throws {RivuletError} as `loadModel`; the signal's reason on abort */
  protected acquire(signal: AbortSignal | undefined): Promise<Model> {
    return this.#shared.acquire(signal);
  }
}
