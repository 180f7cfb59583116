import type { Callbacks } from '@langchain/core/callbacks/manager';
import { Document } from '@langchain/core/documents';
import type { DocumentInterface } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { sharedModel } from '#rivulet';
import type { RerankOptions, SharedLoadOptions, SharedModel } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';

export interface LocalRerankerInput extends Omit<SharedLoadOptions, 'signal'>, RerankOptions {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  model: string | Model;
  /** Keep the best so many. @default all */
  topN?: number;
  /** Ends what is under way and what comes later. */
  signal?: AbortSignal;
}

/** A local reranker for LangChain's retrievers: documents ordered by how well they answer a query. */
export class LocalReranker extends BaseDocumentCompressor {
  readonly model: string;
  readonly #options: Pick<LocalRerankerInput, 'topN' | 'instruction' | 'truncate' | 'signal'>;
  readonly #shared: SharedModel;

  constructor(model: string | Model, fields?: Omit<LocalRerankerInput, 'model'>);
  constructor(fields: LocalRerankerInput);
  constructor(first: string | Model | LocalRerankerInput, rest: Omit<LocalRerankerInput, 'model'> = {}) {
    super();
    const fields: LocalRerankerInput =
      typeof first === 'object' && 'model' in first ? first : { ...rest, model: first };
    const { model, topN, instruction, truncate, signal, ...loadOptions } = fields;
    this.model = typeof model === 'string' ? model : model.info.id;
    this.#options = defined({ topN, instruction, truncate, signal });
    this.#shared = sharedModel(model, loadOptions);
  }

  /** New documents, best first, with `metadata.relevanceScore` from 0 to 1; the given ones stay as they are. */
  override async compressDocuments(
    documents: DocumentInterface[],
    query: string,
    _callbacks?: Callbacks,
  ): Promise<DocumentInterface[]> {
    const ranking = await this.rerank(documents, query);
    return ranking.flatMap(({ index, relevanceScore }) => {
      const document = documents[index];
      if (document === undefined) return [];
      const { pageContent, metadata, id } = document;
      return [
        new Document({
          pageContent,
          metadata: { ...metadata, relevanceScore },
          ...(id === undefined ? {} : { id }),
        }),
      ];
    });
  }

  /** Places of the documents, best first, with their scores from 0 to 1. */
  async rerank(
    documents: readonly (DocumentInterface | string)[],
    query: string,
    options: Pick<LocalRerankerInput, 'topN' | 'signal'> = {},
  ): Promise<{ index: number; relevanceScore: number }[]> {
    const merged = { ...this.#options, ...defined(options) };
    const model = await this.#shared.acquire(merged.signal);
    const texts = documents.map((document) =>
      typeof document === 'string' ? document : document.pageContent,
    );
    const { ranking } = await model.rerank({ query, documents: texts, ...merged });
    return ranking.map(({ index, score }) => ({ index, relevanceScore: score }));
  }
}
