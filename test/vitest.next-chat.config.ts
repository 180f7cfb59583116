import { defineConfig } from 'vitest/config';

/** The Next.js example in a real browser; installs and builds it first. */
export default defineConfig({
  test: {
    include: ['test/next-chat/**/*.test.ts'],
    globalSetup: 'test/next-chat/prepare-app.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
