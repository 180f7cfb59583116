import type { ProgressListener } from './events.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import type { Encoder } from './session/encoder.ts';
import type { Session } from './session/session.ts';
import type { ByteSource } from './source/byte-source.ts';

/** Forms of cached keys and values; the smaller ones lose a little exactness. */
export type CacheType = 'f32' | 'f16' | 'q8_0' | 'q4_0';

/** What a session is made from. */
export interface SessionRequest {
  readonly gguf: GgufFile;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
  readonly threads?: number;
  /** Absent = native where it can run, else portable. */
  readonly dialect?: 'native' | 'portable';
  /** How the native engine keeps keys and values. @default 'f16' */
  readonly cacheType?: CacheType;
  /** Cache folder for repacked weights, where the platform has one. */
  readonly cache?: string;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** What an encoder is made from. */
export interface EncoderRequest extends Omit<SessionRequest, 'contextLength' | 'cacheType'> {
  /**
   * Tokens whose logits after the last token of a text are the values of the rank head, for models that have none of
   * their own: those of "yes" and "no".
   */
  readonly rankTokens?: readonly number[];
}

/** The seam to the world that the code runs in: everything bound to a platform hides behind it. */
export interface Platform {
  openSource(location: string): Promise<ByteSource>;
  createSession(request: SessionRequest): Promise<Session>;
  /** Absent = the platform has no encoders. */
  createEncoder?(request: EncoderRequest): Promise<Encoder>;
  /** The form in which a session that is made like this keeps keys and values. */
  cacheTypeOf(request: Pick<SessionRequest, 'gguf' | 'dialect' | 'cacheType'>): CacheType;
  /** Memory that caches of sequences may take, in bytes. */
  readonly cacheBudgetBytes: number;
}
