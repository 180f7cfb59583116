import type { ProgressListener } from 'rivulet';
import type { ModelStatus } from './messages';

/** Tells every step of a load, and of a long one every percent. */
export function reportProgress(report: (status: ModelStatus) => void): ProgressListener {
  let last = '';
  return ({ phase, label, doneBytes, totalBytes }) => {
    const fraction = doneBytes === undefined || !totalBytes ? undefined : doneBytes / totalBytes;
    const state = `${phase} ${label} ${fraction === undefined ? '' : Math.floor(fraction * 100)}`;
    if (state === last) return;
    last = state;
    report({ phase, label, ready: false, ...(fraction === undefined ? {} : { fraction }) });
  };
}
