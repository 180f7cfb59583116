import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { withRivulet } from '../src/next.ts';
import { platformTriple } from '../src/session/load-native.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const application = join(root, 'examples/next-chat');

describe('withRivulet', () => {
  it('keeps the packages out of the bundle and has files traced that exist', () => {
    const config = withRivulet({}, application);
    expect(config.serverExternalPackages).toEqual(['rivulet', 'onnxruntime-node']);
    const patterns = config.outputFileTracingIncludes?.['/*'] ?? [];
    expect(patterns[0]).toBe('../../src/**/*.js');
    const library = patterns.find((pattern) => pattern.includes('onnxruntime-node/bin/'));
    expect(existsSync(join(application, library ?? 'missing'))).toBe(true);
    const addon = `kernels/rivulet.${platformTriple()}.node`;
    expect(patterns.includes(`../../${addon}`)).toBe(existsSync(join(root, addon)));
  });

  it("keeps the application's own entries", () => {
    const config = withRivulet(
      {
        output: 'standalone',
        serverExternalPackages: ['sharp', 'rivulet'],
        outputFileTracingIncludes: { '/*': ['own/**/*'], '/api/x': ['other'] },
      },
      application,
    );
    expect(config.output).toBe('standalone');
    expect(config.serverExternalPackages).toEqual(['sharp', 'rivulet', 'onnxruntime-node']);
    expect(config.outputFileTracingIncludes['/*'][0]).toBe('own/**/*');
    expect(config.outputFileTracingIncludes['/api/x']).toEqual(['other']);
  });

  it('completes what a configuration function gives', async () => {
    const config = withRivulet(async (phase: string) => ({ distDir: phase }), application);
    expect(await config('build')).toMatchObject({
      distDir: 'build',
      serverExternalPackages: ['rivulet', 'onnxruntime-node'],
    });
  });
});
