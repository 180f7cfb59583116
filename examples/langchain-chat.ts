import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { ChatLocal } from 'rivulet/langchain';

const model = new ChatLocal({ model: 'smollm2', temperature: 0, maxTokens: 200 });

const stream = await model.stream([
  new SystemMessage('Answer in one short sentence.'),
  new HumanMessage(process.argv.slice(2).join(' ') || 'What is the capital of France?'),
]);

for await (const chunk of stream) process.stdout.write(chunk.text);
process.stdout.write('\n');
