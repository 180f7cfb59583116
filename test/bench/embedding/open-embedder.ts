import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { loadModel } from 'rivulet';

import type { Embedder, EmbedderPlan } from './embedder.ts';

/** The parts that are used of packages which are installed on demand. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createEmbeddingContext(options: { threads: number }): Promise<{
        getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>;
      }>;
    }>;
    dispose(): Promise<void>;
  }>;
}

interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  pipeline(
    task: 'feature-extraction',
    model: string,
    options: { dtype: 'q8'; device: 'cpu' },
  ): Promise<{
    (
      texts: readonly string[],
      options: { pooling: 'mean'; normalize: true },
    ): Promise<{ tolist(): number[][] }>;
    dispose(): Promise<unknown>;
  }>;
}

export function openEmbedder(plan: EmbedderPlan): Promise<Embedder> {
  if (plan.kind === 'rivulet') return openRivulet(plan);
  return plan.kind === 'transformers.js' ? openTransformers(plan) : openNodeLlamaCpp(plan);
}

async function openRivulet({ model, dialect }: EmbedderPlan & { kind: 'rivulet' }): Promise<Embedder> {
  const loaded = await loadModel(model, { dialect });
  const { engine, quantization } = loaded.info;
  return {
    engine: `${quantization}, ${engine?.dialect}, ${engine?.threads} threads`,
    all: async (values) => (await loaded.embed({ values })).embeddings,
    one: async (text) => (await loaded.embed({ values: [text] })).embeddings[0] ?? [],
    dispose: () => loaded.dispose(),
  };
}

async function openNodeLlamaCpp({
  model,
  folder,
  threads,
}: EmbedderPlan & { kind: 'node-llama-cpp' }): Promise<Embedder> {
  const entry = join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  const library = (await import(pathToFileURL(entry).href)) as NodeLlamaCpp;
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: 'error',
    maxThreads: threads,
  });
  const loaded = await llama.loadModel({ modelPath: model });
  const context = await loaded.createEmbeddingContext({ threads });
  const one = async (text: string): Promise<readonly number[]> =>
    (await context.getEmbeddingFor(text)).vector;
  return {
    engine: `the same file, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    // It has no call for several texts; its guide has them made so.
    all: (texts) => Promise.all(texts.map(one)),
    one,
    dispose: () => llama.dispose(),
  };
}

async function openTransformers({
  folder,
  batch,
}: EmbedderPlan & { kind: 'transformers.js' }): Promise<Embedder> {
  const entry = join(folder, 'node_modules/@huggingface/transformers/dist/transformers.node.mjs');
  const library = (await import(pathToFileURL(entry).href)) as Transformers;
  library.env.allowRemoteModels = false;
  library.env.localModelPath = join(folder, 'models');
  const extract = await library.pipeline('feature-extraction', 'minilm', { dtype: 'q8', device: 'cpu' });
  const some = async (texts: readonly string[]): Promise<number[][]> =>
    (await extract(texts, { pooling: 'mean', normalize: true })).tolist();
  return {
    engine: `ONNX q8, batches of ${batch} by length`,
    all: async (texts) => {
      const places = Array.from(texts.keys()).toSorted(
        (left, right) => (texts[left]?.length ?? 0) - (texts[right]?.length ?? 0),
      );
      const vectors: number[][] = [];
      for (let start = 0; start < places.length; start += batch) {
        const part = places.slice(start, start + batch);
        const found = await some(part.map((place) => texts[place] ?? ''));
        for (const [index, place] of part.entries()) vectors[place] = found[index] ?? [];
      }
      return vectors;
    },
    one: async (text) => (await some([text]))[0] ?? [],
    dispose: async () => void (await extract.dispose()),
  };
}
