import { streamText } from 'ai';
import { local } from 'rivulet/ai-sdk';

const abort = new AbortController();
process.once('SIGINT', () => abort.abort());

const result = streamText({
  model: local('smollm2'),
  prompt: process.argv.slice(2).join(' ') || 'Why is the sky blue? Answer in three sentences.',
  temperature: 0.2,
  maxOutputTokens: 300,
  abortSignal: abort.signal,
});

for await (const text of result.textStream) process.stdout.write(text);

if (!abort.signal.aborted) {
  const { usage, providerMetadata } = await result.finalStep;
  const { timeToFirstTokenMs, tokensPerSecond } = providerMetadata?.['local'] ?? {};
  const first = Number(timeToFirstTokenMs).toFixed(0);
  const speed = Number(tokensPerSecond).toFixed(1);
  process.stdout.write(
    `\n\n${usage.outputTokens} tokens, first after ${first} ms, ${speed} tokens per second\n`,
  );
}
