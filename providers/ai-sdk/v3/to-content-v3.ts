import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type {
  LanguageModelV3Content,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  SharedV3Warning,
} from '@ai-sdk/provider-v3';

/** Version 4 declares JSON values read-only and version 3 does not: the casts below say the same of the same values. */

/** Kinds that version 3 does not know, and that no model of ours writes, are left out. */
export function toContentV3(content: readonly LanguageModelV4Content[]): LanguageModelV3Content[] {
  return content.flatMap((part): LanguageModelV3Content[] => {
    switch (part.type) {
      case 'custom':
      case 'file':
      case 'reasoning-file':
        return [];
      default:
        return [part as LanguageModelV3Content];
    }
  });
}

/** @see toContentV3 */
export function toStreamPartV3(part: LanguageModelV4StreamPart): LanguageModelV3StreamPart | undefined {
  switch (part.type) {
    case 'custom':
    case 'file':
    case 'reasoning-file':
    case 'ping':
      return undefined;
    case 'stream-start':
      return { ...part, warnings: toWarningsV3(part.warnings) };
    case 'finish':
      return { ...part, finishReason: toFinishReasonV3(part.finishReason) } as LanguageModelV3StreamPart;
    default:
      return part as LanguageModelV3StreamPart;
  }
}

export function toFinishReasonV3({ unified, raw }: LanguageModelV4FinishReason): LanguageModelV3FinishReason {
  return { unified: unified === 'interrupted' ? 'other' : unified, raw };
}

export function toWarningsV3(warnings: readonly SharedV4Warning[]): SharedV3Warning[] {
  return warnings.map((warning) =>
    warning.type === 'deprecated' ? { type: 'other', message: warning.message } : warning,
  );
}
