import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The data of `real/`: two runs of the reference on SmolLM2-135M-Instruct Q4_1. */
export interface RealReference {
  readonly tokenize: readonly {
    readonly text: string;
    readonly special_bos: readonly number[];
    readonly plain_bos: readonly number[];
    readonly special: readonly number[];
    readonly plain: readonly number[];
  }[];
  readonly f32: RealRun;
  readonly native: RealRun;
}

export interface RealRun {
  readonly prompts: readonly {
    readonly name: string;
    readonly ids: readonly number[];
    readonly top20: readonly (readonly [id: number, logit: number])[];
    readonly stats: { readonly lse: number };
    readonly greedy: {
      readonly ids: readonly number[];
      readonly steps: readonly { readonly margin: number }[];
    };
  }[];
  readonly ppl: { readonly ppl: number; readonly n_ctx: number; readonly chunks: number };
}

export function readRealReference(folder: string, fileName: string): RealReference {
  return JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as RealReference;
}
