import { tool } from '@langchain/core/tools';
import { createAgent, createMiddleware } from 'langchain';
import { ChatLocal } from 'rivulet/langchain';
import { z } from 'zod';

// node examples/langchain-agent.ts "What is 17 * 23?" model.gguf
// The default model is tiny: it shows how the parts fit; with one of 1.5 B and more the answers are good, too.
const [question = 'What is 17 * 23? Use the calculator.', model = 'smollm2'] = process.argv.slice(2);

const calculator = tool(
  ({ left, operator, right }) => {
    const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right };
    return String(results[operator]);
  },
  {
    name: 'calculator',
    description: 'Calculates with two numbers.',
    schema: z.object({ left: z.number(), operator: z.enum(['+', '-', '*', '/']), right: z.number() }),
  },
);

// A question leads to one calculation first: that holds by force, whatever the model would do by itself.
const calculateFirst = createMiddleware({
  name: 'calculateFirst',
  wrapModelCall: (request, handler) => {
    const isAsked = request.messages.at(-1)?.type === 'human';
    return handler({
      ...request,
      toolChoice: isAsked ? 'required' : 'auto',
      modelSettings: { parallel_tool_calls: false },
    });
  },
});

const chat = new ChatLocal({ model, temperature: 0, maxTokens: 200 });
const agent = createAgent({ model: chat, tools: [calculator], middleware: [calculateFirst] });
const run = await agent.streamEvents({ messages: [{ role: 'user', content: question }] }, { version: 'v3' });

for await (const message of run.messages) {
  for await (const text of message.text) process.stdout.write(text);
  for (const { name, args } of (await message.output).tool_calls ?? []) {
    process.stdout.write(`\n→ ${name}(${JSON.stringify(args)})`);
  }
  process.stdout.write('\n');
}

// A forced answer in the form of a schema: the model cannot give any other.
const rating = z.object({ topic: z.string(), difficulty: z.enum(['easy', 'medium', 'hard']) });
console.log(await chat.withStructuredOutput(rating).invoke(`What is this question about: ${question}`));

await chat.dispose();
