import { RivuletError } from '../errors.ts';
import type { LocatedError } from './jinja/render-template.ts';
import {
  TemplateLimitError,
  TemplateRaised,
  TemplateRuntimeError,
  TemplateSyntaxError,
} from './jinja/template-error.ts';

const advice = 'Give another template with the option chatTemplate.';

/** What went wrong in a template, for its user. */
export function toRivuletError({ error, line }: LocatedError): RivuletError {
  if (RivuletError.isInstance(error)) return error;
  if (error instanceof TemplateRaised) {
    return new RivuletError(
      'TEMPLATE_FAILED',
      `The chat template refuses this conversation: ${error.message} (line ${line}). Change the messages as it asks for. Or: ${advice}`,
      { cause: error, details: { raised: error.message, line } },
    );
  }
  if (error instanceof TemplateLimitError) {
    return new RivuletError(
      'TEMPLATE_LIMIT_EXCEEDED',
      `Expected the chat template to stay within its limits, but it needs ${error.message} (line ${line}). It may be broken or made to do harm. ${advice}`,
      { cause: error, details: { line } },
    );
  }
  if (error instanceof TemplateRuntimeError || error instanceof TemplateSyntaxError) {
    const kind = error instanceof TemplateSyntaxError ? 'is no valid Jinja' : 'failed';
    return new RivuletError(
      'TEMPLATE_FAILED',
      `The chat template ${kind} in line ${line}: ${error.message}. ${advice}`,
      {
        cause: error,
        details: { line },
      },
    );
  }
  if (error instanceof TypeError && error.message.endsWith('cannot be given to a template')) {
    return new RivuletError(
      'INVALID_ARGUMENT',
      `Expected JSON-like values in messages, tools and templateVariables, but ${error.message}.`,
      { cause: error },
    );
  }
  return new RivuletError(
    'TEMPLATE_FAILED',
    `The chat template failed in line ${line}: ${String(error)}. ${advice}`,
    {
      cause: error,
      details: { line },
    },
  );
}
