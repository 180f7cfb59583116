import { isStepCount, streamText, tool } from 'ai';
import { local } from 'rivulet/ai-sdk';
import { z } from 'zod';

// node examples/tools.ts "What is the weather in Oslo?" model.gguf
const [question = 'What is the weather in Oslo?', model = 'smollm2'] = process.argv.slice(2);

const weather = tool({
  description: 'The weather in a city, now.',
  inputSchema: z.object({ city: z.string().max(40).describe('Name of the city.') }),
  // A real one would ask a service.
  execute: ({ city }) => ({ city, sky: 'snow', degreesCelsius: -4 }),
});

const result = streamText({
  model: local(model),
  tools: { weather },
  prompt: question,
  temperature: 0,
  maxOutputTokens: 200,
  stopWhen: isStepCount(3),
  // One call, then text: both are enforced, which the tiny default model needs. From 1.5 B on leave these two away.
  prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'none' }),
  providerOptions: { local: { maxToolCalls: 1 } },
});

for await (const part of result.stream) {
  switch (part.type) {
    case 'tool-input-start':
      process.stdout.write(`→ ${part.toolName} `);
      break;
    case 'tool-input-delta':
      process.stdout.write(part.delta);
      break;
    case 'tool-result':
      process.stdout.write(`\n← ${JSON.stringify(part.output)}\n`);
      break;
    case 'text-delta':
      process.stdout.write(part.text);
      break;
  }
}
process.stdout.write('\n');
