import type { ReactNode } from 'react';
import type { ChatMessage } from '@/lib/messages';
import { ReasoningView } from './reasoning-view';
import { TextView } from './text-view';
import { ToolView } from './tool-view';

interface MessageViewProps {
  readonly message: ChatMessage;
  readonly streaming: boolean;
  /** Undefined = the conversation has gone on, nothing can be approved here any more. */
  readonly onApproval: ((approvalId: string, approved: boolean) => void) | undefined;
}

export function MessageView({ message, streaming, onApproval }: MessageViewProps): ReactNode {
  const { outputTokens, tokensPerSecond, cachedTokens } = message.metadata ?? {};
  return (
    <article className={`message ${message.role}`} data-streaming={streaming} aria-busy={streaming}>
      {message.parts.map((part, index) => {
        switch (part.type) {
          case 'text':
            return <TextView key={index} text={part.text} />;
          case 'reasoning':
            return (
              <ReasoningView key={index} text={part.text} open={streaming && part.state === 'streaming'} />
            );
          case 'tool-bookAppointment':
          case 'tool-currentTime':
            return <ToolView key={part.toolCallId} part={part} running={streaming} onApproval={onApproval} />;
          default:
            return null;
        }
      })}
      {!streaming && message.role === 'assistant' && outputTokens !== undefined && (
        <footer>
          {outputTokens} tokens
          {tokensPerSecond !== undefined && ` · ${tokensPerSecond.toFixed(0)} per second`}
          {cachedTokens !== undefined && cachedTokens > 0 && ` · ${cachedTokens} of the prompt cached`}
        </footer>
      )}
    </article>
  );
}
