import type { Callbacks } from '@langchain/core/callbacks/manager';
import { Document } from '@langchain/core/documents';
import type { DocumentInterface } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { sharedModel } from '#rivulet';
import type { RerankOptions, SharedModel } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';
import { mapFailure } from './map-error.ts';
import { isTextModelInput, pickTextLoadOptions } from './text-model-input.ts';
import type { TextModelInput } from './text-model-input.ts';

export interface LocalRerankerInput extends TextModelInput, RerankOptions {
  /** Keep the best so many documents. @default all */
  readonly topN?: number;
}

/** Per call. */
export interface LocalRerankerCallOptions {
  /** Keep the best so many documents. @default the instance's */
  readonly topN?: number;
  /** Ends the work. @default the instance's */
  readonly signal?: AbortSignal;
}

/**
 * Orders documents by how well they answer a query, by a local reranking model: a compressor for
 * `ContextualCompressionRetriever` and the like. The first call loads the model.
 */
export class LocalReranker extends BaseDocumentCompressor {
  readonly model: string;
  readonly #fields: LocalRerankerInput;
  readonly #shared: SharedModel;

  constructor(model: string | Model, fields?: Omit<LocalRerankerInput, 'model'>);
  constructor(fields: LocalRerankerInput);
  constructor(first: string | Model | LocalRerankerInput, rest: Omit<LocalRerankerInput, 'model'> = {}) {
    super();
    const fields: LocalRerankerInput = isTextModelInput(first) ? first : { ...rest, model: first };
    this.#fields = fields;
    this.#shared = sharedModel(fields.model, pickTextLoadOptions(fields));
    this.model = typeof fields.model === 'string' ? fields.model : fields.model.info.id;
  }

  /** New documents, best first, each with its score from 0 to 1 in `metadata.relevanceScore`. */
  override async compressDocuments(
    documents: DocumentInterface[],
    query: string,
    _callbacks?: Callbacks,
  ): Promise<DocumentInterface[]> {
    const ranking = await this.rerank(documents, query);
    return ranking.flatMap(({ index, relevanceScore }) => {
      const document = documents[index];
      if (document === undefined) return [];
      const { id, pageContent, metadata } = document;
      return [
        new Document({
          pageContent,
          metadata: { ...metadata, relevanceScore },
          ...(id === undefined ? {} : { id }),
        }),
      ];
    });
  }

  /** Places of the documents, best first; what is no text and no document is read as its JSON. */
  async rerank(
    documents: readonly (DocumentInterface | string | Record<string, unknown>)[],
    query: string,
    { topN = this.#fields.topN, signal = this.#fields.signal }: LocalRerankerCallOptions = {},
  ): Promise<{ index: number; relevanceScore: number }[]> {
    if (documents.length === 0) return [];
    const { instruction, truncate, onWarning } = this.#fields;
    try {
      const model = await this.#shared.acquire(signal);
      const { ranking, warnings } = await model.rerank({
        query,
        documents: documents.map(textOf),
        ...defined({ topN, instruction, truncate, signal }),
      });
      for (const warning of warnings) onWarning?.(warning);
      return ranking.map(({ index, score }) => ({ index, relevanceScore: score }));
    } catch (error) {
      throw signal?.aborted === true ? error : mapFailure(error);
    }
  }
}

function textOf(document: DocumentInterface | string | Record<string, unknown>): string {
  if (typeof document === 'string') return document;
  return typeof document['pageContent'] === 'string' ? document['pageContent'] : JSON.stringify(document);
}
