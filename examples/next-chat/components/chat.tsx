'use client';

import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from 'ai';
import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { ChatMessage, ModelStatus } from '@/lib/messages';
import { Composer } from './composer';
import { LoadProgress } from './load-progress';
import { MessageView } from './message-view';
import { useFollowing } from './use-following';

const suggestions = [
  'Why is the sky blue? Answer in three sentences.',
  'Write a short poem about a river.',
  'Explain recursion to a child.',
];

export function Chat({ modelName }: { readonly modelName: string }): ReactNode {
  const [status, setStatus] = useState<ModelStatus>();
  const [useTools, setUseTools] = useState(false);
  const toolsRef = useRef(useTools);
  toolsRef.current = useTools;
  const [transport] = useState(
    () =>
      new DefaultChatTransport<ChatMessage>({
        api: '/api/chat',
        body: () => ({ useTools: toolsRef.current }),
      }),
  );
  const chat = useChat<ChatMessage>({
    transport,
    // Tokens come faster than a screen shows them.
    throttle: 40,
    onData: (part) => {
      if (part.type === 'data-model') setStatus(part.data);
    },
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  });
  const busy = chat.status === 'submitted' || chat.status === 'streaming';
  // An answer begins before its first word: the model still reads.
  const isEmpty = chat.messages.at(-1)?.parts.every(({ type }) => type === 'step-start') ?? true;

  // The figures of an answer come with its end, which the status tells.
  const follow = useFollowing(chat.messages, chat.status);

  const send = (text: string): void => {
    follow();
    void chat.sendMessage({ text });
  };

  return (
    <main className="chat" data-status={chat.status}>
      <section className="messages" aria-live="polite">
        {chat.messages.length === 0 && (
          <div className="welcome">
            <h1>Ask a local model</h1>
            <p>
              <code>{modelName}</code> runs inside this server: nothing leaves the machine.
            </p>
            <div className="suggestions">
              {suggestions.map((text) => (
                <button key={text} type="button" onClick={() => send(text)}>
                  {text}
                </button>
              ))}
            </div>
          </div>
        )}
        {chat.messages.map((message, index) => (
          <MessageView
            key={message.id}
            message={message}
            streaming={busy && index === chat.messages.length - 1}
            onApproval={
              index === chat.messages.length - 1
                ? (id, approved) => void chat.addToolApprovalResponse({ id, approved })
                : undefined
            }
          />
        ))}
        {(chat.status === 'submitted' || (busy && isEmpty)) && <LoadProgress status={status} />}
        {chat.error !== undefined && (
          <p className="problem" role="alert">
            {chat.error.message}{' '}
            <button type="button" onClick={() => void chat.regenerate()}>
              Try again
            </button>
          </p>
        )}
      </section>
      <Composer
        busy={busy}
        useTools={useTools}
        onUseTools={setUseTools}
        onSend={send}
        onStop={() => void chat.stop()}
      />
    </main>
  );
}
