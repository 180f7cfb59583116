/** The two texts between which a model thinks. */
export interface ReasoningFormat {
  readonly open: string;
  readonly close: string;
}

interface KnownFormat extends ReasoningFormat {
  /** How templates write it that put its markers together. */
  readonly written?: string;
}

/**
 * Known spellings, the more particular first. Models whose output is divided into channels (harmony) are not
 * here: their text has markers of its own around the answer as well.
 */
const formats: readonly KnownFormat[] = [
  { open: '<seed:think>', close: '</seed:think>' },
  { open: '<mm:think>', close: '</mm:think>' },
  { open: '<think:opensource>', close: '</think:opensource>', written: '<think{}>' },
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  { open: '<|inner_prefix|>', close: '<|inner_suffix|>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<think>', close: '</think>' },
  { open: '<thinking>', close: '</thinking>' },
  { open: '<thought>', close: '</thought>' },
  { open: '<reasoning>', close: '</reasoning>' },
];

/** How a model writes its thoughts, judged by its template; undefined when it writes none. */
export function detectReasoning(templateSource: string): ReasoningFormat | undefined {
  const known = formats.find(({ open, close, written }) =>
    [open, close, written].some((text) => text !== undefined && templateSource.includes(text)),
  );
  return known === undefined ? undefined : { open: known.open, close: known.close };
}

/** Whether a rendered prompt ends inside a block of reasoning, which the model then only has to close. */
export function opensReasoning(renderedPrompt: string, format: ReasoningFormat): boolean {
  const opened = renderedPrompt.lastIndexOf(format.open);
  if (opened < 0) return false;
  return renderedPrompt.slice(opened + format.open.length).trim() === '';
}
