/** The template asked to fail, by `raise_exception`. */
export class TemplateRaised extends Error {
  override readonly name: string = 'TemplateRaised';
}

/** The template failed as it would in Python; a changed input may help. */
export class TemplateRuntimeError extends Error {
  override readonly name: string = 'TemplateRuntimeError';
}

/** The template is no valid Jinja. */
export class TemplateSyntaxError extends Error {
  override readonly name: string = 'TemplateSyntaxError';
  /** Counted from 1. */
  readonly line: number;

  constructor(message: string, line: number, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
  }
}

/** The template used more than it may. */
export class TemplateLimitError extends Error {
  override readonly name: string = 'TemplateLimitError';
}
