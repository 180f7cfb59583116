'use client';

import { useState } from 'react';
import type { FormEvent, KeyboardEvent, ReactNode } from 'react';

interface ComposerProps {
  readonly busy: boolean;
  readonly useTools: boolean;
  readonly onUseTools: (useTools: boolean) => void;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

export function Composer({ busy, useTools, onUseTools, onSend, onStop }: ComposerProps): ReactNode {
  const [text, setText] = useState('');

  const submit = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    if (busy || text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        aria-label="Message"
        placeholder="Say something …"
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          // Enter also ends the composition of a character, as in Japanese.
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
        }}
      />
      <div className="composer-row">
        <label className="switch">
          <input type="checkbox" checked={useTools} onChange={(event) => onUseTools(event.target.checked)} />
          Tools
        </label>
        {busy ? (
          <button type="button" className="stop" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" className="send" disabled={text.trim() === ''}>
            Send
          </button>
        )}
      </div>
    </form>
  );
}
