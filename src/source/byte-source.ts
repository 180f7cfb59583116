/** A file as it was when it was opened. */
export interface FileIdentity {
  /** Absolute. */
  readonly path: string;
  /** Of inode, size and time of modification: another one means another content. */
  readonly stamp: string;
}

/** Random access to the bytes of one model file, wherever it lives. */
export interface ByteSource {
  /** Name for messages: a path or URL. */
  readonly name: string;
  /** Total length in bytes; may exceed 2 ** 32. */
  readonly size: number;
  /** Where the bytes are a file of this machine, which other threads can read as well. */
  readonly file?: FileIdentity;
  /**
   * Reads exactly `lengthBytes` bytes.
   * @throws {RivuletError} `SOURCE_TRUNCATED` when the range passes the end of the file.
   */
  read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}
