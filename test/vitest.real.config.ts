import { defineConfig } from 'vitest/config';

/** Tests on the default model, one file after the other: they measure times, and the engine takes all cores. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
