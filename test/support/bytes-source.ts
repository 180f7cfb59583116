import { RivuletError } from '../../src/errors.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';

/** A byte source over bytes in memory; counts what is read and whether it is closed. */
export class BytesSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  bytesRead = 0;
  closed = false;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  async read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (offsetBytes + lengthBytes > this.size) {
      throw new RivuletError(
        'SOURCE_TRUNCATED',
        `${this.name}: expected ${lengthBytes} bytes at ${offsetBytes}.`,
      );
    }
    this.bytesRead += lengthBytes;
    return this.#bytes.slice(offsetBytes, offsetBytes + lengthBytes);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
