/** The part of node-llama-cpp 3.22 that the bench uses; the package itself is installed on demand. */
export interface NodeLlamaCpp {
  getLlama(options: {
    gpu: false;
    build: 'never';
    skipDownload: true;
    progressLogs: false;
    logLevel: 'error';
    maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaCompletion: new (options: { contextSequence: LlamaSequence }) => LlamaCompletion;
}

interface Llama {
  /** Instruction sets, as llama.cpp prints them: "AVX2 = 1 | AVX512 = 1 | …". */
  readonly systemInfo: string;
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

export interface LlamaModel {
  /** Longest sequence that the model was trained for. */
  readonly trainContextSize: number;
  createContext(options: { contextSize: number; threads: number; sequences: number }): Promise<LlamaContext>;
  detokenize(tokens: readonly number[]): string;
}

interface LlamaContext {
  readonly currentThreads: number;
  readonly contextSize: number;
  getSequence(): LlamaSequence;
}

export interface LlamaSequence {
  evaluate(
    tokens: readonly number[],
    options: { temperature: number; yieldEogToken: boolean },
  ): AsyncGenerator<number, void, void>;
  clearHistory(): Promise<void>;
}

interface LlamaCompletion {
  generateCompletion(
    tokens: readonly number[],
    options: {
      maxTokens: number;
      temperature: number;
      repeatPenalty: false;
      signal: AbortSignal;
      onToken: (tokens: readonly number[]) => void;
    },
  ): Promise<string>;
  dispose(options: { disposeSequence: boolean }): void;
}
