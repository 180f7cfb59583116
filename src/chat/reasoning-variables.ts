/** How much a model shall think before it answers; tokens are a budget. */
export type ReasoningEffort = 'off' | 'low' | 'medium' | 'high' | { readonly maxTokens: number };

/**
 * The switches that templates look at: `enable_thinking` (Qwen, GLM, gemma 4 …), `thinking` (DeepSeek, granite),
 * `thinking_mode` (MiniMax), `thinking_option` (Ling), `reasoning` (Cohere), `thinking_budget` (Seed),
 * `reasoning_effort` (gpt-oss, Solar, Hunyuan). None when the caller leaves it to the template.
 */
export function reasoningVariables(
  effort: ReasoningEffort | undefined,
  templateSource: string,
): Readonly<Record<string, unknown>> {
  if (effort === undefined) return {};
  const isOn = effort !== 'off';
  return {
    enable_thinking: isOn,
    thinking: isOn,
    thinking_mode: isOn ? 'enabled' : 'disabled',
    thinking_option: isOn ? 'on' : 'off',
    reasoning: isOn,
    ...budgetVariable(effort),
    ...effortVariable(effort, templateSource),
  };
}

function budgetVariable(effort: ReasoningEffort): Readonly<Record<string, number>> {
  if (effort === 'off') return { thinking_budget: 0 };
  return typeof effort === 'object' ? { thinking_budget: effort.maxTokens } : {};
}

/** Templates refuse or print words of `reasoning_effort` that they do not know: use one that stands in them. */
function effortVariable(effort: ReasoningEffort, templateSource: string): Readonly<Record<string, string>> {
  if (typeof effort === 'object') return {};
  const isKnown = (word: string): boolean =>
    templateSource.includes(`'${word}'`) || templateSource.includes(`"${word}"`);
  if (effort === 'off') {
    const least = ['no_think', 'none', 'minimal', 'low'].find(isKnown);
    return { reasoning_effort: least ?? 'low' };
  }
  if (effort === 'medium' && !isKnown('medium') && isKnown('low')) return { reasoning_effort: 'high' };
  return { reasoning_effort: effort };
}
