import type { AIMessage, AIMessageChunk, UsageMetadata } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { concat } from '@langchain/core/utils/stream';
import { expect } from 'vitest';
import { z } from 'zod';
import type { ChatLocal } from '../../../../providers/langchain/index.ts';

/**
 * One of LangChain's standard tests for chat models, by its name there. `need` tells what it takes of a model:
 * nothing, to understand the history of a conversation with tools, an answer that is forced, or a choice of its own.
 */
export interface StandardCase {
  readonly name: string;
  readonly need: 'nothing' | 'history' | 'forced' | 'choice';
  /** What a scripted model says in it, one list per request. */
  readonly script: readonly (readonly string[])[];
  run(chat: ChatLocal): Promise<void>;
}

export const call = (name: string, args: object): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

export const adderSchema: z.ZodObject<{ a: z.ZodNumber; b: z.ZodNumber }> = z
  .object({
    a: z.number().int().describe('The first integer to add.'),
    b: z.number().int().describe('The second integer to add.'),
  })
  .describe('Add two integers');

export const adder: ReturnType<typeof createAdder> = createAdder();

function createAdder() {
  return tool(({ a, b }: { a: number; b: number }) => JSON.stringify(a + b), {
    name: 'math_addition',
    description: 'Add two integers',
    schema: adderSchema,
  });
}

export const weather: ReturnType<typeof createWeather> = createWeather();

function createWeather() {
  return tool(({ location }: { location: string }) => `It is 20 degrees in ${location}.`, {
    name: 'get_current_weather',
    description: 'Get the current weather in a location',
    schema: z.object({ location: z.string().describe('The city, for example San Francisco') }),
  });
}

export async function joined(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of stream) whole = whole === undefined ? chunk : concat(whole, chunk);
  if (whole === undefined) throw new Error('The stream was empty.');
  return whole;
}

export function expectText(message: AIMessage | AIMessageChunk): void {
  expect(message.type).toBe('ai');
  expect(message.text).not.toBe('');
}

export function expectUsage(message: AIMessage | AIMessageChunk): void {
  // Core's type of the field collapses to undefined under `exactOptionalPropertyTypes`.
  const usage = message.usage_metadata as UsageMetadata | undefined;
  if (usage === undefined) throw new Error('no usage');
  expect(usage.input_tokens).toBeGreaterThan(0);
  expect(usage.output_tokens).toBeGreaterThan(0);
  expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
  const cached = usage.input_token_details?.cache_read ?? 0;
  expect(cached).toBeLessThanOrEqual(usage.input_tokens);
  expect(usage.output_token_details?.reasoning ?? 0).toBeLessThanOrEqual(usage.output_tokens);
}
