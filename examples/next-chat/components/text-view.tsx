import type { ReactNode } from 'react';

/** Text with its fenced blocks of code; an application would take a renderer of Markdown. */
export function TextView({ text }: { readonly text: string }): ReactNode {
  return text.split(/^```/m).map((piece, index) => {
    if (index % 2 === 1) return <pre key={index}>{piece.replace(/^.*\n?/, '').trimEnd()}</pre>;
    const prose = piece.trim();
    return (
      prose !== '' && (
        <p key={index} className="text">
          {prose}
        </p>
      )
    );
  });
}
