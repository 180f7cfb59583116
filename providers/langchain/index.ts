export { ChatLocal } from './chat-model.ts';
export type { ChatLocalCallOptions, ChatLocalGenerationOptions, ChatLocalInput } from './chat-options.ts';
export { LocalEmbeddings } from './embeddings.ts';
export type { LocalEmbeddingsInput } from './embeddings.ts';
export { LocalReranker } from './reranker.ts';
export type { LocalRerankerInput } from './reranker.ts';
