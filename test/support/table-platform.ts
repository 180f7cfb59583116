import type { Platform } from '../../src/platform.ts';
import { BytesSource } from './bytes-source.ts';
import { createTableSession } from './table-session.ts';
import type { TableSession, TableSessionOptions } from './table-session.ts';
import { tinyLlama } from './tiny-llama.ts';

/** Bytes and control tokens of {@link tinyLlama}. */
const vocabularySize = 259;

/** A platform whose one file is a small llama, but what it says comes from a table. */
export function tablePlatform(
  options: TableSessionOptions,
  opened?: (session: TableSession) => void,
): Platform {
  const bytes = tinyLlama();
  return {
    openSource: async (location) => new BytesSource(location, bytes),
    createSession: async ({ contextLength }) => {
      const session = createTableSession({ ...options, vocabularySize, contextLength });
      opened?.(session);
      return session;
    },
    cacheTypeOf: () => 'f32',
    cacheBudgetBytes: 2 ** 30,
  };
}
