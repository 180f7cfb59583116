import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  // Tests run the sources, not the build.
  resolve: { alias: { '#rivulet': source('src/index.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance-full/**', 'test/real/**', 'test/next-chat/**'],
    testTimeout: 30_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
