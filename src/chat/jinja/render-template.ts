import { fromJavascript } from './from-javascript.ts';
import { templateGlobals } from './globals.ts';
import { Interpreter } from './interpreter.ts';
import type { Node } from './nodes.ts';
import { RenderContext } from './render-context.ts';
import type { RenderContextOptions } from './render-context.ts';
import { Scope } from './scope.ts';
import { TemplateLimitError } from './template-error.ts';

export interface RenderOptions extends RenderContextOptions {
  readonly now: () => Date;
  /** Changes every text of the variables in `guarded`. */
  readonly guard?: (text: string) => string;
  /** Variables whose texts no template wrote: messages and tools. */
  readonly guarded: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An error of a rendering, with the line of the tag in which it happened. */
export interface LocatedError {
  readonly error: unknown;
  /** Counted from 1. */
  readonly line: number;
}

export type RenderResult = { readonly text: string } | LocatedError;

/** Renders once; whatever is thrown comes back with its place. */
export function renderTemplate(body: readonly Node[], options: RenderOptions): RenderResult {
  const context = new RenderContext(options);
  try {
    const scope = new Scope();
    for (const [name, value] of templateGlobals(context, options.now)) scope.set(name, value);
    for (const [name, value] of Object.entries(options.guarded)) {
      if (value !== undefined) scope.set(name, fromJavascript(context, value, options.guard));
    }
    for (const [name, value] of Object.entries(options.variables)) {
      if (value !== undefined) scope.set(name, fromJavascript(context, value));
    }
    return { text: new Interpreter(context).render(body, scope) };
  } catch (error) {
    // The stack ends long before the memory does: V8 recovers from this.
    const isStackEnd = error instanceof RangeError;
    return {
      error: isStackEnd ? new TemplateLimitError('expressions nested too deeply', { cause: error }) : error,
      line: context.line,
    };
  }
}
