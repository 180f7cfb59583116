import { generateText } from 'ai';
import { createLocal } from 'rivulet/ai-sdk';

// node examples/lifecycle.ts model.gguf
const [reference = 'smollm2'] = process.argv.slice(2);
const local = createLocal({ contextLength: 2048, keepAlive: '10m', maxConcurrency: 4 });

function show(moment: string): void {
  const states = local.list().map(({ reference, state }) => `${reference} ${state}`);
  process.stdout.write(`${moment}: ${states.join(', ') || 'nothing in memory'}\n`);
}

show('at first');
// Without this the first request loads; with it a server is ready before it is asked.
await local.load(reference, {
  onProgress: ({ phase, label, doneBytes, totalBytes }) => {
    const share =
      doneBytes === undefined || !totalBytes ? '' : ` ${Math.floor((100 * doneBytes) / totalBytes)} %`;
    process.stdout.write(`  ${phase} ${label}${share}\n`);
  },
});
show('loaded');

const model = local(reference);
const prompt = 'What is the capital of France? Answer in one sentence.';
const answers = await Promise.all(
  [1, 2].map(() => generateText({ model, prompt, temperature: 0, maxOutputTokens: 40 })),
);
for (const { text } of answers) process.stdout.write(`${text}\n`);

await local.unload(reference);
show('unloaded');

// Handles stay good: the next request loads again.
const { text, providerMetadata } = await generateText({ model, prompt, temperature: 0, maxOutputTokens: 40 });
const loadMs = Number(providerMetadata?.['local']?.['loadMs']);
process.stdout.write(`${text} (loaded again in ${loadMs.toFixed(0)} ms)\n`);
await local.unload();
