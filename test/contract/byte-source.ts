import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/source/byte-source.ts';

/** What every {@link ByteSource} promises; `open` makes one that holds the given bytes. */
export function byteSourceContract(name: string, open: (bytes: Uint8Array) => Promise<ByteSource>): void {
  describe(`ByteSource contract: ${name}`, () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
    const opened: ByteSource[] = [];
    const openCounted = async (content: Uint8Array): Promise<ByteSource> => {
      const source = await open(content);
      opened.push(source);
      return source;
    };
    afterAll(() => Promise.all(opened.map((source) => source.close())));

    it('knows its size and has a name', async () => {
      const source = await openCounted(bytes);
      expect(source.size).toBe(bytes.length);
      expect(source.name).not.toBe('');
    });

    it.each([
      ['the start', 0, 10],
      ['the middle', 50_001, 4096],
      ['the end', 100_000, 3],
      ['everything', 0, 100_003],
      ['nothing', 17, 0],
      ['nothing at the end', 100_003, 0],
    ])('reads %s exactly', async (_, offset, length) => {
      const source = await openCounted(bytes);
      expect(await source.read(offset, length)).toEqual(bytes.subarray(offset, offset + length));
    });

    it('serves reads that overlap in time', async () => {
      const source = await openCounted(bytes);
      const offsets = Array.from({ length: 50 }, (_, index) => index * 1999);
      const parts = await Promise.all(offsets.map((offset) => source.read(offset, 100)));
      expect(parts).toEqual(offsets.map((offset) => bytes.slice(offset, offset + 100)));
    });

    it.each([
      ['past the end', 100_000, 4],
      ['beyond the end', 200_000, 1],
      ['before the start', -1, 1],
      ['of negative length', 5, -1],
    ])('refuses a range %s', async (_, offset, length) => {
      const source = await openCounted(bytes);
      await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'SOURCE_TRUNCATED' });
    });

    it('can be empty', async () => {
      const source = await openCounted(new Uint8Array(0));
      expect(source.size).toBe(0);
      expect(await source.read(0, 0)).toHaveLength(0);
      await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'SOURCE_TRUNCATED' });
    });

    it('rethrows the reason of an aborted signal', async () => {
      const source = await openCounted(bytes);
      const reason = new Error('enough');
      await expect(source.read(0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(await source.read(0, 2)).toEqual(bytes.slice(0, 2));
    });
  });
}
