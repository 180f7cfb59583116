import type { NextConfig } from 'next';
import { withRivulet } from 'rivulet/next';

const nextConfig: NextConfig = {
  output: process.env['STANDALONE'] === undefined ? undefined : 'standalone',
  // This folder lies in another project's, whose lock file would make that one the root.
  turbopack: { root: import.meta.dirname },
};

export default withRivulet(nextConfig);
