export { createLocal, local } from './local-provider.ts';
export type { LocalLoadOptions, LocalProvider, LocalProviderSettings } from './local-provider.ts';
export type { EngineStatus, ModelCheck } from '#rivulet';
export type { LocalEmbeddingModelOptions } from './local-embedding-model-options.ts';
export type { LocalLanguageModelOptions } from './local-language-model-options.ts';
export type { LocalRerankingModelOptions } from './local-reranking-model-options.ts';
export { VERSION } from '../version.ts';
