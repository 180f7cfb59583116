/**
 * Compression would be done for every token, in the thread that serves everybody: a third of what streaming costs it.
 * A proxy in front may compress, in its own process.
 */
export const streamHeaders = { 'cache-control': 'no-cache, no-transform' };
