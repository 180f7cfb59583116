/**
 * The same values, but an abort ends their source also when nobody pulls any more: core's `stream()` drops
 * its generator without a `return` when the signal fires, and the engine would stay in use.
 */
export async function* leaveOnAbort<T>(
  values: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator = values[Symbol.asyncIterator]();
  const leave = async (): Promise<void> => {
    try {
      await iterator.return?.();
    } catch {
      // The abort is the failure that counts, and the pull below throws it.
    }
  };
  signal?.addEventListener('abort', leave, { once: true });
  try {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) break;
      yield value;
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', leave);
    await iterator.return?.();
  }
}
