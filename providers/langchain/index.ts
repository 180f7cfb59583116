export { ChatLocal } from './chat-model.ts';
export type { ChatLocalCallOptions, ChatLocalGenerationOptions, ChatLocalInput } from './chat-options.ts';
