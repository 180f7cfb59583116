import type { ReactNode } from 'react';
import type { ModelStatus } from '@/lib/messages';

const phases: Readonly<Record<string, string>> = {
  resolve: 'Looking for the model',
  download: 'Downloading',
  extract: 'Extracting',
  verify: 'Checking',
  repack: 'Repacking weights',
  load: 'Opening',
};

/** Between a question and the first word: the model's loading, then its reading. */
export function LoadProgress({ status }: { readonly status: ModelStatus | undefined }): ReactNode {
  if (status === undefined || status.ready) return <p className="waiting">Thinking …</p>;
  const { phase, label, fraction } = status;
  return (
    <div className="loading" role="status">
      <span>
        {phases[phase] ?? phase} <code>{label}</code>
        {fraction !== undefined && ` ${Math.round(fraction * 100)} %`}
      </span>
      <progress max={1} value={fraction} />
    </div>
  );
}
