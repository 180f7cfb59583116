import { Output, streamText } from 'ai';
import { local } from 'rivulet/ai-sdk';
import { z } from 'zod';

// node examples/structured-output.ts "Text about a person." model.gguf
const [text = 'Ann Lee is a nurse from Oslo. She is 34 years old.', model = 'smollm2'] =
  process.argv.slice(2);

// Tokens that would break the schema cannot come; what fits it is the model's choice.
const person = z.object({
  name: z.string().max(40),
  age: z.int().min(0).max(120),
  city: z.string().max(40),
  job: z.enum(['teacher', 'nurse', 'engineer', 'other']),
});

const result = streamText({
  model: local(model),
  output: Output.object({ schema: person }),
  // The schema goes into the prompt by itself: the text is enough.
  prompt: text,
  temperature: 0,
});

// The object grows while it is written; each partial is typed, with every member optional.
for await (const partial of result.partialOutputStream) process.stdout.write(`${JSON.stringify(partial)}\n`);

const { name, age, city, job } = await result.output;
process.stdout.write(`${name}, ${age}, ${city}: ${job}\n`);
