import type { SharedV4Warning } from '@ai-sdk/provider';
import type { Warning } from '../../src/events.ts';

export function convertWarnings(warnings: readonly Warning[]): SharedV4Warning[] {
  return warnings.map(({ type, feature, message }) =>
    type === 'other' || feature === undefined
      ? { type: 'other', message }
      : { type, feature, details: message },
  );
}
