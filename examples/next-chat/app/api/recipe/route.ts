import { createTextStreamResponse, Output, streamText, toTextStream } from 'ai';
import type { LanguageModel } from 'ai';
import { describeError } from '@/lib/describe-error';
import { chatModel } from '@/lib/model';
import { streamHeaders } from '@/lib/stream-headers';
import { recipeSchema } from './schema';

export const runtime = 'nodejs';
export const maxDuration = 300;

export async function POST(request: Request): Promise<Response> {
  const dish: unknown = await request.json();
  let model: LanguageModel;
  try {
    model = await chatModel({ signal: request.signal });
  } catch (error) {
    return new Response(describeError(error), { status: 500 });
  }
  const result = streamText({
    model,
    output: Output.object({ schema: recipeSchema }),
    prompt: `Write a recipe for ${String(dish)}.`,
    temperature: 0.3,
    maxOutputTokens: 1500,
    // Against the lists without end of small models.
    providerOptions: { local: { repeatPenalty: 1.1 } },
    abortSignal: request.signal,
  });
  return createTextStreamResponse({
    stream: toTextStream({ stream: result.stream }),
    headers: streamHeaders,
  });
}
