import { BaseDocumentTransformer, Document } from '@langchain/core/documents';
import type { DocumentInterface } from '@langchain/core/documents';
import { sharedModel } from '#rivulet';
import type { SharedLoadOptions, SharedModel } from '#rivulet';
import { RivuletError } from '../../src/errors.ts';
import type { Model } from '../../src/model.ts';
import { pickLoadOptions } from './completion-options.ts';
import { splitByTokens } from './split-by-tokens.ts';

export interface LocalTextSplitterInput extends Omit<SharedLoadOptions, 'signal'> {
  /** The model whose tokens count: a reference or a loaded model. Of a reference only the vocabulary is loaded. */
  readonly model: string | Model;
  /** Most tokens of a chunk. @default 512 */
  readonly chunkSize?: number;
  /** Tokens that a chunk may repeat of the one before. @default 0 */
  readonly chunkOverlap?: number;
  /**
   * Where to cut, best first; a piece that none of them makes short enough is cut between two tokens.
   * @default blank line, line, sentence, space
   */
  readonly separators?: readonly string[];
}

const defaultSeparators: readonly string[] = ['\n\n', '\n', '. ', ' '];

/**
 * Splits documents into chunks of so many tokens of a model: exact counts by its own vocabulary, where estimates
 * overflow an embedding model or waste its room.
 */
export class LocalTextSplitter extends BaseDocumentTransformer {
  override lc_namespace: string[] = ['rivulet', 'text_splitter'];
  readonly chunkSize: number;
  readonly chunkOverlap: number;
  readonly separators: readonly string[];
  readonly #shared: SharedModel;

  static override lc_name(): string {
    return 'LocalTextSplitter';
  }

  /** A count of tokens for splitters and middleware that take one, for example as `lengthFunction`. */
  static lengthFunction(fields: Pick<LocalTextSplitterInput, 'model'>): (text: string) => Promise<number> {
    const shared = shareVocabulary(fields);
    return async (text) => (await shared.acquire()).countTokens(text);
  }

  constructor(fields: LocalTextSplitterInput) {
    super();
    const { chunkSize = 512, chunkOverlap = 0 } = fields;
    if (!Number.isInteger(chunkSize) || chunkSize < 1) throw wrongSize('chunkSize', 'from 1', chunkSize);
    if (!Number.isInteger(chunkOverlap) || chunkOverlap < 0 || chunkOverlap >= chunkSize) {
      throw wrongSize('chunkOverlap', `from 0 and below chunkSize (${chunkSize})`, chunkOverlap);
    }
    this.chunkSize = chunkSize;
    this.chunkOverlap = chunkOverlap;
    this.separators = fields.separators ?? defaultSeparators;
    this.#shared = shareVocabulary(fields);
  }

  /** Chunks in order; without overlap they add up to the text, except for white space around the cuts. */
  async splitText(text: string): Promise<string[]> {
    const model = await this.#shared.acquire();
    return splitByTokens(text, model, this).map(({ text: chunk }) => chunk);
  }

  /** Documents of texts, one metadata for each text; `loc.start` and `loc.end` are offsets in the text. */
  async createDocuments(
    texts: readonly string[],
    metadatas: readonly Document['metadata'][] = [],
  ): Promise<Document[]> {
    const model = await this.#shared.acquire();
    return texts.flatMap((text, index) =>
      splitByTokens(text, model, this).map(({ text: pageContent, start }) => {
        const { loc, ...metadata } = metadatas[index] ?? {};
        const place = { ...(loc as object | undefined), start, end: start + pageContent.length };
        return new Document({ pageContent, metadata: { ...metadata, loc: place } });
      }),
    );
  }

  async splitDocuments(documents: readonly DocumentInterface[]): Promise<Document[]> {
    return this.createDocuments(
      documents.map(({ pageContent }) => pageContent),
      documents.map(({ metadata }) => metadata),
    );
  }

  override async transformDocuments(documents: DocumentInterface[]): Promise<Document[]> {
    return this.splitDocuments(documents);
  }
}

/** Weights are of no use here, unless another user of the same loaded model has them anyway. */
function shareVocabulary(fields: Omit<LocalTextSplitterInput, 'chunkSize'>): SharedModel {
  return sharedModel(fields.model, { ...pickLoadOptions(fields), vocabularyOnly: true });
}

function wrongSize(option: string, wanted: string, found: unknown): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `Expected ${option} to be an integer ${wanted}, got ${String(found)}.`,
    {
      details: { option },
    },
  );
}
