import type { ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';

/** Writes the model of a folder (`config.json`, safetensors) into the sink as a GGUF file. */
export type FolderConverter = (
  folder: string,
  sink: ByteSink,
  options: {
    readonly modelName: string;
    readonly signal: AbortSignal | undefined;
    readonly onProgress: ProgressListener;
  },
) => Promise<void>;
