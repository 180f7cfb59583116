import { Embeddings } from '@langchain/core/embeddings';
import type { EmbeddingsParams } from '@langchain/core/embeddings';
import { sharedModel } from '#rivulet';
import type { EmbedOptions, SharedModel } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';
import { mapFailure } from './map-error.ts';
import { isTextModelInput, pickTextLoadOptions } from './text-model-input.ts';
import type { TextModelInput } from './text-model-input.ts';

export interface LocalEmbeddingsInput
  extends EmbeddingsParams, TextModelInput, Pick<EmbedOptions, 'dimensions' | 'normalize' | 'truncate'> {
  /** How the tokens' vectors become one. @default the file's */
  readonly pooling?: 'mean' | 'cls' | 'last';
  /** In front of queries. @default what the model was trained with, where that is known */
  readonly queryPrefix?: string;
  /** In front of documents. @default what the model was trained with, where that is known */
  readonly documentPrefix?: string;
}

/**
 * Vectors of texts from a local model, as LangChain wants them. Making one is cheap: the first text loads the model, and
 * instances with the same model and load options share one engine, which makes batches of what it gets itself.
 */
export class LocalEmbeddings extends Embeddings {
  readonly model: string;
  readonly #fields: LocalEmbeddingsInput;
  readonly #shared: SharedModel;

  constructor(model: string | Model, fields?: Omit<LocalEmbeddingsInput, 'model'>);
  constructor(fields: LocalEmbeddingsInput);
  constructor(first: string | Model | LocalEmbeddingsInput, rest: Omit<LocalEmbeddingsInput, 'model'> = {}) {
    const fields: LocalEmbeddingsInput = isTextModelInput(first) ? first : { ...rest, model: first };
    super(fields);
    this.#fields = fields;
    this.#shared = sharedModel(fields.model, pickTextLoadOptions(fields));
    this.model = typeof fields.model === 'string' ? fields.model : fields.model.info.id;
  }

  /** One vector per text, in their order. */
  override async embedDocuments(
    documents: string[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<number[][]> {
    if (documents.length === 0) return [];
    return this.#embed('document', documents, options.signal ?? this.#fields.signal);
  }

  /** The vector of what is searched for. */
  override async embedQuery(
    document: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<number[]> {
    const [vector = []] = await this.#embed('query', [document], options.signal ?? this.#fields.signal);
    return vector;
  }

  async #embed(
    kind: 'query' | 'document',
    values: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<number[][]> {
    const { dimensions, normalize, truncate, pooling, queryPrefix, documentPrefix, onWarning } = this.#fields;
    const prefix = kind === 'query' ? queryPrefix : documentPrefix;
    const vectors = await this.caller.call(async () => {
      try {
        const model = await this.#shared.acquire(signal);
        const { embeddings, warnings } = await model.embed({
          values,
          kind,
          ...defined({ prefix, dimensions, normalize, truncate, pooling, signal }),
        });
        for (const warning of warnings) onWarning?.(warning);
        return embeddings.map((embedding) => Array.from(embedding));
      } catch (error) {
        // The caller would take an abort's reason for a failure to try again.
        if (signal?.aborted === true) return undefined;
        throw mapFailure(error);
      }
    });
    if (vectors === undefined) throw signal?.reason;
    return vectors;
  }
}
