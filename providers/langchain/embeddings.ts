import { Embeddings } from '@langchain/core/embeddings';
import type { EmbeddingsParams } from '@langchain/core/embeddings';
import { sharedModel } from '#rivulet';
import type { EmbedOptions, SharedLoadOptions, SharedModel } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';

export interface LocalEmbeddingsInput
  extends
    EmbeddingsParams,
    Omit<SharedLoadOptions, 'signal'>,
    Omit<EmbedOptions, 'kind' | 'prefix' | 'pooling'> {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  model: string | Model;
  /** Put in front of queries. @default what the model was trained with, if it is known */
  queryPrefix?: string;
  /** Put in front of documents. @default what the model was trained with, if it is known */
  documentPrefix?: string;
  /** How the tokens' vectors become one. @default the file's */
  pooling?: 'mean' | 'cls' | 'last';
  /** Ends what is under way and what comes later. */
  signal?: AbortSignal;
}

/**
 * A local model as LangChain embeddings. Making one is cheap: the first call loads the model, and instances with the
 * same model and load options share one engine.
 */
export class LocalEmbeddings extends Embeddings {
  readonly model: string;
  readonly #fields: Omit<LocalEmbeddingsInput, 'model'>;
  readonly #shared: SharedModel;

  constructor(model: string | Model, fields?: Omit<LocalEmbeddingsInput, 'model'>);
  constructor(fields: LocalEmbeddingsInput);
  constructor(first: string | Model | LocalEmbeddingsInput, rest: Omit<LocalEmbeddingsInput, 'model'> = {}) {
    const fields: LocalEmbeddingsInput =
      typeof first === 'object' && 'model' in first ? first : { ...rest, model: first };
    super(fields);
    const { model, ...others } = fields;
    this.model = typeof model === 'string' ? model : model.info.id;
    this.#fields = others;
    this.#shared = sharedModel(model, loadOptionsOf(others));
  }

  override async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.#embed([text], 'query', this.#fields.queryPrefix);
    return vector ?? [];
  }

  override async embedDocuments(texts: string[]): Promise<number[][]> {
    return this.#embed(texts, 'document', this.#fields.documentPrefix);
  }

  async #embed(
    values: readonly string[],
    kind: 'query' | 'document',
    prefix: string | undefined,
  ): Promise<number[][]> {
    const { dimensions, pooling, normalize, truncate, signal } = this.#fields;
    const model = await this.#shared.acquire(signal);
    const options = defined({ dimensions, pooling, normalize, truncate, signal, prefix });
    const { embeddings } = await model.embed({ values, kind, ...options });
    return embeddings.map((vector) => Array.from(vector));
  }
}

function loadOptionsOf(fields: Omit<LocalEmbeddingsInput, 'model'>): Omit<SharedLoadOptions, 'signal'> {
  const { contextLength, threads, dialect, keepAliveMs, onProgress } = fields;
  return defined({ contextLength, threads, dialect, keepAliveMs, onProgress });
}
