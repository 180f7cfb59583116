import { RivuletError } from './errors.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import type { EncoderRequest, Platform } from './platform.ts';
import type { Encoder } from './session/encoder.ts';

export type OpenEncoderOptions = Omit<EncoderRequest, 'gguf'>;

/**
 * Opens a model for vectors of texts, in the calling thread: any file that a graph is known for, those for chat too. An
 * engine that generates from the same file shares its pages in memory.
 * @throws {RivuletError} of every room below; the signal's reason on abort
 */
export async function openEncoder(
  platform: Pick<Platform, 'openSource' | 'createEncoder'>,
  location: string,
  options: OpenEncoderOptions = {},
): Promise<Encoder> {
  if (platform.createEncoder === undefined) throw noEncoders();
  const gguf = await openGguf(platform, location, options.signal);
  try {
    return await platform.createEncoder({ ...options, gguf });
  } finally {
    await closeGguf(gguf);
  }
}

export function noEncoders(): RivuletError {
  return new RivuletError(
    'UNSUPPORTED',
    'This platform makes no vectors of texts. Embed and rerank in Node.',
  );
}
