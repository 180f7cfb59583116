import type { ByteSource } from '../source/byte-source.ts';

/** The files of a model as it is published for transformers: `config.json`, weights, vocabulary. */
export interface ModelFiles {
  /** Name for messages: the folder. */
  readonly name: string;
  /** Opens a file by its path inside the model (`1_Pooling/config.json`), or answers undefined if it is not there. */
  open(path: string): Promise<ByteSource | undefined>;
}
