import type { CAC } from 'cac';
import type { ConvertedFile } from '../index.ts';
import { booleanFlag, choiceFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { formatBytes, formatDuration } from './format-figures.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { createProgressBar } from './progress-bar.ts';
import { writeText } from './write-answer.ts';

const types = ['f16', 'f32', 'q8_0'] as const;

const typeNames = { f16: 'F16', f32: 'F32', q8_0: 'Q8_0' } as const;

/** `rivulet convert FOLDER [OUTPUT]`: writes the safetensors of a model as a GGUF file and prints its path. */
export function addConvertCommand(cli: CAC): void {
  cli
    .command('convert <folder> [output]', 'Convert safetensors of the BERT family to GGUF')
    .option('--type <type>', 'Type of the weights: f16, f32 or q8_0 (default: f16)')
    .option('--force', 'Replace the output if it is there')
    .example('  $ rivulet convert ./all-MiniLM-L6-v2 minilm.gguf --type q8_0')
    .action((folder: string, output: string | undefined, flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const type = choiceFlag(flags, 'type', types) ?? 'f16';
        const { convert } = await import('../index.ts');
        const bar = createProgressBar(process.stderr);
        const startMs = performance.now();
        let converted: ConvertedFile;
        try {
          converted = await convert(unguard(folder), {
            type: typeNames[type],
            overwrite: booleanFlag(flags, 'force'),
            signal,
            onProgress: bar.update,
            ...(output === undefined ? {} : { output: unguard(output) }),
          });
        } finally {
          bar.clear();
        }
        for (const warning of converted.warnings) process.stderr.write(`Warning: ${warning}\n`);
        const tookMs = performance.now() - startMs;
        process.stderr.write(`${formatBytes(converted.bytes)} in ${formatDuration(tookMs)}\n`);
        await writeText(`${converted.path}\n`);
      }),
    );
}
