import type { RenderContext } from './render-context.ts';
import { TemplateLimitError } from './template-error.ts';
import { maximumValueDepth } from './template-limits.ts';
import { Float } from './values.ts';
import type { Value } from './values.ts';

/**
 * JSON-like data as the template sees it; entries that are `undefined` are left away. `rewrite` may change every
 * text.
 * @throws {TypeError} for functions, symbols and the like @throws {TemplateLimitError}
 */
export function fromJavascript(
  context: RenderContext,
  value: unknown,
  rewrite: (text: string) => string = (text) => text,
  depth = 0,
): Value {
  if (depth > maximumValueDepth) {
    throw new TemplateLimitError(`values nested more than ${maximumValueDepth} deep`);
  }
  context.spend();
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return rewrite(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value : new Float(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item) => fromJavascript(context, item, rewrite, depth + 1));
  if (typeof value === 'object') {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    const result = new Map<Value, Value>();
    for (const [key, item] of entries) {
      if (item === undefined) continue;
      result.set(rewrite(String(key)), fromJavascript(context, item, rewrite, depth + 1));
    }
    return result;
  }
  throw new TypeError(`a ${typeof value} cannot be given to a template`);
}
