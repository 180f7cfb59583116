import { defineConfig } from 'vitest/config';

/** Everything in the folder named by RIVULET_CONFORMANCE; the tests fail when it is not set. */
export default defineConfig({
  test: {
    include: ['test/conformance-full/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
