/** What Ctrl-C aborts a command with; exit code 130. */
export class Interrupt extends Error {
  override readonly name: string = 'Interrupt';

  constructor() {
    super('Interrupted.');
  }
}

/** What a command is aborted with when nobody reads its output any more, as with `head`; exit code 0. */
export class OutputClosed extends Error {
  override readonly name: string = 'OutputClosed';

  constructor() {
    super('Standard output was closed.');
  }
}

/** Runs a command with a signal that Ctrl-C aborts; a second Ctrl-C ends the process at once. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    // Without a listener the next signal ends the process, as the system does it.
    stopListening();
    controller.abort(new Interrupt());
  };
  const onOutputError = (): void => controller.abort(new OutputClosed());
  const stopListening = (): void => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    process.stdout.off('error', onOutputError);
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  process.stdout.on('error', onOutputError);
  try {
    return await work(controller.signal);
  } finally {
    stopListening();
  }
}

/** Whether an error only says that nobody reads standard output any more. */
export function isOutputClosed(error: unknown): boolean {
  return (
    error instanceof OutputClosed || (error instanceof Error && 'code' in error && error.code === 'EPIPE')
  );
}
