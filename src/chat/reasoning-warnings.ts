import type { Warning } from '../events.ts';
import { detectOutput, knownThoughts } from './formats/detect-output.ts';
import type { ReasoningEffort } from './reasoning-variables.ts';

/** What of the wanted amount of thinking a model that thinks cannot be told. */
export function reasoningWarnings(effort: ReasoningEffort | undefined, templateSource: string): Warning[] {
  if (knownThoughts(templateSource) === undefined) return [];
  // Channels leave no block of thoughts that could be closed before the model begins.
  if (effort === 'off' && detectOutput(templateSource).channels !== undefined) {
    return [warning('This model cannot be kept from thinking: it is asked to think as little as it can.')];
  }
  // A model that thinks as it does by itself thinks a medium amount.
  if ((effort === 'low' || effort === 'high') && !templateSource.includes('reasoning_effort')) {
    return [
      warning(
        `The template of this model knows no levels of reasoning, so "${effort}" only switches it on; a budget of { maxTokens } bounds it.`,
      ),
    ];
  }
  return [];
}

function warning(message: string): Warning {
  return { type: 'compatibility', feature: 'reasoning', message };
}
