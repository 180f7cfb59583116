import {
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  isStepCount,
  streamText,
  toUIMessageStream,
} from 'ai';
import { approvalSecret } from '@/lib/approval-secret';
import { describeError } from '@/lib/describe-error';
import type { AnswerFigures, ChatMessage } from '@/lib/messages';
import { chatModel, modelReference } from '@/lib/model';
import { reportProgress } from '@/lib/report-progress';
import { streamHeaders } from '@/lib/stream-headers';
import { tools } from '@/lib/tools';

export const runtime = 'nodejs';
export const maxDuration = 300;

interface ChatBody {
  readonly messages: ChatMessage[];
  readonly useTools?: boolean;
}

export async function POST(request: Request): Promise<Response> {
  const { messages, useTools = false }: ChatBody = await request.json();

  const stream = createUIMessageStream<ChatMessage>({
    originalMessages: messages,
    onError: describeError,
    execute: async ({ writer }) => {
      // Loading is shared: whoever comes while the model loads sees the same progress.
      const model = await chatModel({
        signal: request.signal,
        onProgress: reportProgress((data) => writer.write({ type: 'data-model', data, transient: true })),
      });
      writer.write({
        type: 'data-model',
        data: { phase: 'ready', label: modelReference, ready: true },
        transient: true,
      });

      const result = streamText({
        model,
        instructions: 'You are a helpful assistant. Answer briefly.',
        messages: await convertToModelMessages(messages, { tools }),
        tools,
        // A call that was approved runs, also when no new ones are wanted any more.
        ...(useTools ? {} : { activeTools: [] }),
        toolApproval: { bookAppointment: 'user-approval' },
        experimental_toolApprovalSecret: approvalSecret,
        stopWhen: isStepCount(4),
        temperature: 0.3,
        // Small models do not always find an end.
        maxOutputTokens: 1000,
        // A closed tab or a pressed stop button ends the computation at once.
        abortSignal: request.signal,
      });
      writer.merge(
        toUIMessageStream<typeof tools, ChatMessage>({
          stream: result.stream,
          onError: describeError,
          messageMetadata: ({ part }): AnswerFigures | undefined => {
            if (part.type !== 'finish-step') return undefined;
            const { tokensPerSecond } = part.providerMetadata?.['local'] ?? {};
            return {
              outputTokens: part.usage.outputTokens ?? 0,
              cachedTokens: part.usage.inputTokenDetails.cacheReadTokens ?? 0,
              ...(typeof tokensPerSecond === 'number' ? { tokensPerSecond } : {}),
            };
          },
        }),
      );
    },
  });

  return createUIMessageStreamResponse({ stream, headers: streamHeaders });
}
