/**
 * What a GGUF header may ask of us before it is refused with `GGUF_LIMIT_EXCEEDED`. A header is untrusted:
 * each figure leaves room of at least 8 times over the largest published model, and together they bound the
 * memory of a parse to a small multiple of the file.
 */
export interface HeaderLimits {
  readonly headerBytes: number;
  readonly keyBytes: number;
  readonly stringBytes: number;
  readonly tensorNameBytes: number;
  readonly keys: number;
  readonly tensors: number;
  readonly strings: number;
  readonly arrays: number;
  readonly arrayDepth: number;
  readonly dimensions: number;
  readonly alignmentBytes: number;
  readonly shards: number;
}

export const headerLimits: HeaderLimits = {
  /** Vocabularies of 260 k tokens with merges and an embedded tokenizer.json reach 30 MB. */
  headerBytes: 256 * 2 ** 20,
  /** The GGUF specification: a key has at most 2^16 - 1 bytes. */
  keyBytes: 2 ** 16 - 1,
  /** An embedded tokenizer.json is at most 35 MB. */
  stringBytes: 64 * 2 ** 20,
  /** The specification says 64; builds for diffusion models write up to 128. */
  tensorNameBytes: 1024,
  /** Published models have fewer than 200. */
  keys: 2 ** 14,
  /** Mixtures with one tensor per expert reach 50 000. */
  tensors: 2 ** 19,
  /** A string of one byte takes 9 bytes of file but 32 of heap; 260 k tokens with 520 k merges are the most in use. */
  strings: 2 ** 23,
  /** An empty nested array takes 12 bytes of file but hundreds of heap. */
  arrays: 2 ** 16,
  /** Nothing published nests arrays; deeper ones would only burn stack. */
  arrayDepth: 8,
  /** `GGML_MAX_DIMS`. */
  dimensions: 4,
  /** Files use 32, or the page size of 4 to 64 KiB. */
  alignmentBytes: 2 ** 20,
  /** The largest uploads have below 100 parts; each part is an open file. */
  shards: 1024,
};
