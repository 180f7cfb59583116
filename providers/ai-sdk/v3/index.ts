export { createLocal, local } from './local-provider.ts';
export type { LocalProvider } from './local-provider.ts';
export type { LocalProviderSettings } from '../local-provider.ts';
export type { LocalRerankingModelOptions } from '../local-reranking-model-options.ts';
export type { LocalEmbeddingModelOptions } from './to-vector-models-v3.ts';
export type { LocalLanguageModelOptions } from './to-language-model-v3.ts';
export { VERSION } from '../../version.ts';
