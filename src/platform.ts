import type { ProgressListener } from './events.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import type { Session } from './session/session.ts';
import type { ByteSource } from './source/byte-source.ts';

/** What a session is made from. */
export interface SessionRequest {
  readonly gguf: GgufFile;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
  readonly threads?: number;
  /** Cache folder for repacked weights, where the platform has one. */
  readonly cache?: string;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** The seam to the world that the code runs in: everything bound to a platform hides behind it. */
export interface Platform {
  openSource(location: string): Promise<ByteSource>;
  createSession(request: SessionRequest): Promise<Session>;
  /** Memory that caches of sequences may take, in bytes. */
  readonly cacheBudgetBytes: number;
}
