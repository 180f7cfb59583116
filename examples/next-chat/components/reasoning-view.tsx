'use client';

import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

/** Open while the model thinks, folded when it answers; the reader may do otherwise. */
export function ReasoningView({ text, open }: { readonly text: string; readonly open: boolean }): ReactNode {
  const [shown, setShown] = useState(open);
  useEffect(() => setShown(open), [open]);
  return (
    <details className="reasoning" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>{open ? 'Thinking …' : 'Thoughts'}</summary>
      <p className="text">{text}</p>
    </details>
  );
}
