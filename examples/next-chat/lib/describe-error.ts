/** Pages show it: without, everything would be called an error of the server. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
