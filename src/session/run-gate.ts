/** How long an ending process waits for a run under way; chunks are far shorter. */
const closingLimitMs = 2000;

const running = 0;
const closed = 1;

/**
 * Keeps a thread from being ended inside ONNX Runtime: when a run finds its JavaScript thread gone, the whole
 * process aborts. The engine's thread enters and leaves; the other side closes the gate and waits.
 */
export class RunGate {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array<SharedArrayBuffer>;

  /** @param memory of the other side's gate; a new one when absent */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#state = new Int32Array(memory);
  }

  /** False once the gate is closed: then nothing may run any more. */
  enter(): boolean {
    Atomics.store(this.#state, running, 1);
    if (Atomics.load(this.#state, closed) === 0) return true;
    this.leave();
    return false;
  }

  leave(): void {
    Atomics.store(this.#state, running, 0);
    Atomics.notify(this.#state, running);
  }

  /** Lets no run begin and waits until none is under way. */
  async close(): Promise<void> {
    Atomics.store(this.#state, closed, 1);
    await Atomics.waitAsync(this.#state, running, 1, closingLimitMs).value;
  }

  /** The same, blocking, for a process that is about to end. */
  closeNow(): void {
    Atomics.store(this.#state, closed, 1);
    Atomics.wait(this.#state, running, 1, closingLimitMs);
  }
}
