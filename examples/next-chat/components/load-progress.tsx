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
    <div className="loading">
      <span>
        {phases[phase] ?? phase} <code>{label}</code>
        {/* Who listens to the page asks the bar: a hundred announcements would be too many. */}
        {fraction !== undefined && <span aria-hidden> {Math.round(fraction * 100)} %</span>}
      </span>
      <progress max={1} value={fraction} aria-label={phases[phase] ?? phase} />
    </div>
  );
}
