/** Lets at most `limit` requests run at once, in the order in which they came. */
export class RequestQueue {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a place and returns how to give it back. @throws the signal's reason when it fires first */
  async enter(signal: AbortSignal | undefined): Promise<() => void> {
    if (this.#running < this.#limit) this.#running += 1;
    else await this.#wait(signal);
    return () => {
      const [next] = this.#waiting;
      // The place goes on to the next one: a newcomer must not take it.
      if (next === undefined) this.#running -= 1;
      else next();
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#waiting.delete(go);
      signal?.removeEventListener('abort', abort);
    };
    const go = (): void => {
      leave();
      resolve();
    };
    const abort = (): void => {
      leave();
      reject(signal?.reason);
    };
    this.#waiting.add(go);
    signal?.addEventListener('abort', abort, { once: true });
    await promise;
  }
}
