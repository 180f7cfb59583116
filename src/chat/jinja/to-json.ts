import { floatText, integerText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateLimitError, TemplateRuntimeError } from './template-error.ts';
import { maximumValueDepth } from './template-limits.ts';
import { asSequence, Float, typeName } from './values.ts';
import type { Value } from './values.ts';

export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** Text before every item, once per level; absent = all on one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sortKeys: boolean;
}

/** Python's `json.dumps`, which transformers uses for `tojson`. @throws {TemplateRuntimeError} */
export function toJson(context: RenderContext, value: Value, options: JsonOptions, depth = 0): string {
  if (depth > maximumValueDepth) {
    throw new TemplateLimitError(`values nested more than ${maximumValueDepth} deep`);
  }
  context.spend();
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return integerText(value);
  if (typeof value === 'string') return textToJson(context, value, options);
  if (value instanceof Float) {
    if (Number.isNaN(value.value)) return 'NaN';
    if (!Number.isFinite(value.value)) return value.value > 0 ? 'Infinity' : '-Infinity';
    return floatText(value.value);
  }
  const items = asSequence(value);
  if (items !== undefined) {
    const parts = items.map((item) => toJson(context, item, options, depth + 1));
    return enclose(context, '[', parts, ']', options, depth);
  }
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]): [string, Value] => [keyText(key), item]);
    if (options.sortKeys) entries.sort(([left], [right]) => (left < right ? -1 : Number(left > right)));
    const parts = entries.map(([key, item]) => {
      const name = textToJson(context, key, options);
      return name + options.separators[1] + toJson(context, item, options, depth + 1);
    });
    return enclose(context, '{', parts, '}', options, depth);
  }
  throw new TemplateRuntimeError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function enclose(
  context: RenderContext,
  open: string,
  parts: readonly string[],
  close: string,
  options: JsonOptions,
  depth: number,
): string {
  if (parts.length === 0) return open + close;
  const { indent, separators } = options;
  const lineBreak = indent === undefined ? '' : `\n${indent.repeat(depth + 1)}`;
  const lastBreak = indent === undefined ? '' : `\n${indent.repeat(depth)}`;
  const gap = separators[0].length + lineBreak.length;
  context.makeText(parts.reduce((sum, part) => sum + part.length + gap, lastBreak.length + 2));
  return open + lineBreak + parts.join(separators[0] + lineBreak) + lastBreak + close;
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null || typeof key === 'boolean') return String(key);
  if (typeof key === 'number') return integerText(key);
  throw new TemplateRuntimeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

const notAscii = /[\u007f-\uffff]/g;

function textToJson(context: RenderContext, text: string, options: JsonOptions): string {
  const json = JSON.stringify(text);
  context.makeText(json.length);
  if (!options.ensureAscii) return json;
  const escaped = json.replace(notAscii, (unit) =>
    unit === '\u007f' || unit === context.mark
      ? unit
      : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  context.makeText(escaped.length);
  return escaped;
}
