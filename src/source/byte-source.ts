/** Random access to the bytes of one model file, wherever it lives. */
export interface ByteSource {
  /** Name for messages: a path or URL. */
  readonly name: string;
  /** Total length in bytes; may exceed 2 ** 32. */
  readonly size: number;
  /**
   * Reads exactly `lengthBytes` bytes.
   * @throws {RivuletError} `SOURCE_TRUNCATED` when the range passes the end of the file.
   */
  read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}
