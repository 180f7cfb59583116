/** The command line itself is wrong: exit code 2 and a hint instead of 1. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
