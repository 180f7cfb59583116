import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { SubjectPlan } from './job.ts';
import type { LlamaModel, LlamaSequence, NodeLlamaCpp } from './node-llama-cpp-api.ts';
import type { Generation, GenerateOptions, OpenSubject, SubjectNeeds } from './subject.ts';

/** Completions keep some of the context free for shifting it. */
const spareContextTokens = 160;

/**
 * node-llama-cpp with what is fastest in it: the evaluation loop over ids, no chat session, a context no larger
 * than asked for, everything else by its own defaults.
 */
export async function openNodeLlamaCpp(
  model: string,
  plan: SubjectPlan & { kind: 'node-llama-cpp' },
  needs: SubjectNeeds,
): Promise<OpenSubject> {
  const entry = join(plan.folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  const library = (await import(pathToFileURL(entry).href)) as NodeLlamaCpp;
  const importedMs = performance.now();
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: 'error',
    maxThreads: plan.threads,
  });
  const loaded = await llama.loadModel({ modelPath: model });
  const context = await loaded.createContext({
    contextSize: Math.max(
      needs.contextTokens + spareContextTokens,
      Math.min(needs.roomTokens ?? 0, loaded.trainContextSize),
    ),
    threads: plan.threads,
    sequences: needs.sequences,
  });
  const sequences = Array.from({ length: needs.sequences }, () => context.getSequence());
  const readyMs = performance.now();
  return {
    engine: `threads ${context.currentThreads}, ${instructionSets(llama.systemInfo)}`,
    importedMs,
    readyMs,
    generate: async (stream, prompt, count, options = {}) => {
      const sequence = sequences[stream];
      if (sequence === undefined) throw new Error(`There is no stream ${stream}.`);
      // Before the clock starts: a user would take a fresh sequence.
      await sequence.clearHistory();
      return options.signal === undefined
        ? evaluate(loaded, sequence, prompt, count, options.onPiece)
        : complete(library, sequence, prompt, count, { ...options, signal: options.signal });
    },
    dispose: () => llama.dispose(),
  };
}

async function evaluate(
  model: LlamaModel,
  sequence: LlamaSequence,
  prompt: Int32Array,
  count: number,
  onPiece?: () => void,
): Promise<Generation> {
  const ids = Array.from(prompt);
  const output: number[] = [];
  const startMs = performance.now();
  let firstMs = startMs;
  for await (const id of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
    if (output.length === 0) firstMs = performance.now();
    output.push(id);
    onPiece?.();
    if (output.length === count) break;
  }
  const endMs = performance.now();
  if (output.length < count) throw new Error(`Expected ${count} tokens, got ${output.length}.`);
  return {
    startMs,
    firstMs,
    endMs,
    tokens: count,
    decodeMs: endMs - firstMs,
    text: model.detokenize(output),
  };
}

/** What can be aborted there: the evaluation loop has no signal, a completion has. */
async function complete(
  library: NodeLlamaCpp,
  sequence: LlamaSequence,
  prompt: Int32Array,
  count: number,
  { signal, onPiece }: GenerateOptions & { signal: AbortSignal },
): Promise<Generation> {
  const completion = new library.LlamaCompletion({ contextSequence: sequence });
  const startMs = performance.now();
  let firstMs: number | undefined;
  let tokens = 0;
  try {
    const text = await completion.generateCompletion(Array.from(prompt), {
      maxTokens: count,
      temperature: 0,
      repeatPenalty: false,
      signal,
      onToken: (piece) => {
        firstMs ??= performance.now();
        tokens += piece.length;
        onPiece?.();
      },
    });
    const endMs = performance.now();
    return { startMs, firstMs: firstMs ?? endMs, endMs, tokens, decodeMs: endMs - (firstMs ?? endMs), text };
  } finally {
    completion.dispose({ disposeSequence: false });
  }
}

function instructionSets(systemInfo: string): string {
  const names = [...systemInfo.matchAll(/(\w+) = 1/g)].map(([, name]) => name);
  return names.filter((name) => /^(?:AVX|NEON|DOTPROD|MATMUL|SVE|REPACK)/.test(name ?? '')).join(' ');
}
