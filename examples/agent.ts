import { hasToolCall, isStepCount, ToolLoopAgent, tool } from 'ai';
import { local } from 'rivulet/ai-sdk';
import { z } from 'zod';

// node examples/agent.ts "I would like six bags of beans." model.gguf
const [wish = 'Order three bags of rice.', model = 'smollm2'] = process.argv.slice(2);

const prices = { rice: 2.5, beans: 1.8, flour: 1.2 };
const product = z.enum(['rice', 'beans', 'flour']);

const agent = new ToolLoopAgent({
  model: local(model),
  instructions: 'You take orders for a shop. Look up the price, then order what the customer asks for.',
  tools: {
    lookUp: tool({
      description: 'The price of a product.',
      inputSchema: z.object({ product }),
      execute: ({ product }) => ({ product, pricePerBag: prices[product] }),
    }),
    order: tool({
      description: 'Orders bags of a product.',
      inputSchema: z.object({ product, bags: z.int().min(1).max(50) }),
      execute: ({ product, bags }) => ({ product, bags, total: bags * prices[product] }),
    }),
  },
  // An order ends the work, and so do five steps without one.
  stopWhen: [hasToolCall('order'), isStepCount(5)],
  // The default model is tiny and would do the first thing again and again: that it calls, and in which order, is
  // enforced here. What it fills in is its own, within the schema, and often wrong. From 1.5 B on leave these two away.
  toolChoice: 'required',
  prepareStep: ({ stepNumber }) => ({ activeTools: stepNumber === 0 ? ['lookUp'] : ['order'] }),
  providerOptions: { local: { maxToolCalls: 1 } },
  temperature: 0,
});

const { stream, steps } = await agent.stream({ prompt: wish });
for await (const part of stream) {
  if (part.type === 'tool-call') process.stdout.write(`→ ${part.toolName} ${JSON.stringify(part.input)}\n`);
  if (part.type === 'tool-result') process.stdout.write(`← ${JSON.stringify(part.output)}\n`);
}
process.stdout.write(`${(await steps).length} steps\n`);
