import { RivuletError } from '../../src/errors.ts';
import type { ByteSink } from '../../src/source/byte-sink.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    name: 'memory',
    size: bytes.length,
    async read(offsetBytes, lengthBytes, signal) {
      signal?.throwIfAborted();
      if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > bytes.length) {
        throw new RivuletError('SOURCE_TRUNCATED', 'The range passes the end.');
      }
      return bytes.slice(offsetBytes, offsetBytes + lengthBytes);
    },
    close: async () => undefined,
  };
}

/** Keeps what is written. */
export function collectingSink(): ByteSink & { bytes(): Buffer } {
  const chunks: Uint8Array[] = [];
  return {
    async write(chunk) {
      chunks.push(Uint8Array.from(chunk));
    },
    bytes: () => Buffer.concat(chunks),
  };
}
