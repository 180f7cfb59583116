/** Takes bytes in order; a write settles when the next one may come. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}
