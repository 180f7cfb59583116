import { parse } from '@huggingface/jinja';

import { tokenizeTemplate } from './lexer.ts';
import type { TemplateToken, TokenType } from './lexer.ts';
import type { Node } from './nodes.ts';
import { rewriteTokens } from './rewrite-tokens.ts';
import { TemplateLimitError, TemplateSyntaxError } from './template-error.ts';

/** The statements of a template. @throws {TemplateSyntaxError} @throws {TemplateLimitError} */
export function parseTemplate(source: string): readonly Node[] {
  const cursor = { line: 1 };
  try {
    const tokens = rewriteTokens(tokenizeTemplate(source)).map((token) => new TracedToken(token, cursor));
    const program = parse(tokens) as unknown as Node & { readonly type: 'Program' };
    return program.body;
  } catch (error) {
    if (error instanceof TemplateSyntaxError || error instanceof TemplateLimitError) throw error;
    if (error instanceof RangeError) {
      throw new TemplateLimitError('expressions nested too deeply', { cause: error });
    }
    // The parser reads past the last token when a tag is not closed.
    const reason =
      error instanceof TypeError ? 'Unexpected end of template' : String((error as Error).message);
    throw new TemplateSyntaxError(reason, cursor.line, { cause: error });
  }
}

/** Tells how far the parser got: its own errors name no place. */
class TracedToken {
  readonly value: string;
  readonly depth: number;
  readonly #type: TokenType;
  readonly #line: number;
  readonly #cursor: { line: number };

  constructor(token: TemplateToken, cursor: { line: number }) {
    this.value = token.value;
    this.depth = token.depth;
    this.#type = token.type;
    this.#line = token.line;
    this.#cursor = cursor;
  }

  get type(): TokenType {
    this.#cursor.line = this.#line;
    return this.#type;
  }
}
