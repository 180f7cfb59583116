export { createLocal, local } from './local-provider.ts';
export type { LocalProvider, LocalProviderSettings } from './local-provider.ts';
export type {
  LocalEmbeddingModelOptions,
  LocalRerankingModelOptions,
} from './local-embedding-model-options.ts';
export type { LocalLanguageModelOptions } from './local-language-model-options.ts';
export { VERSION } from '../version.ts';
