import { streamText } from 'ai';
import { chatModel } from '@/lib/model';
import { streamHeaders } from '@/lib/stream-headers';

/** An answer that would take minutes; with `?forgetful` nothing tells the model when its reader is gone. */
export async function POST(request: Request): Promise<Response> {
  const signal = request.url.includes('forgetful') ? new AbortController().signal : request.signal;
  const result = streamText({
    model: await chatModel({ signal }),
    prompt: 'Count from 1 to 10000.',
    maxOutputTokens: 6000,
    providerOptions: { local: { ignoreEos: true } },
    abortSignal: signal,
  });
  return result.toUIMessageStreamResponse({ headers: streamHeaders });
}
