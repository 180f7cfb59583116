/** One error for a person: `code: message`, with the stack only when RIVULET_DEBUG asks for it. */
export async function describeError(error: unknown): Promise<string> {
  if (!(error instanceof Error)) return String(error);
  const { RivuletError } = await import('../index.ts');
  const line = RivuletError.isInstance(error) ? `${error.code}: ${error.message}` : `error: ${error.message}`;
  return process.env['RIVULET_DEBUG'] ? `${line}\n${error.stack ?? ''}` : line;
}
