import { idPlaceholder, indexPlaceholder, namePlaceholder } from '../tool-format.ts';
import type { ArgumentsWriting, ToolFormat } from '../tool-format.ts';

/** A call as it is written into a prompt. */
export interface WrittenCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Nine letters or digits. @default 'call00000' and so on */
  readonly id?: string;
}

/** Calls in the form that a model was trained on. */
export function writeCalls({ writing }: ToolFormat, calls: readonly WrittenCall[]): string {
  const texts = calls.map((call, index) => {
    const fill = (text: string): string =>
      text
        .replaceAll(indexPlaceholder, String(index))
        .replaceAll(idPlaceholder, call.id ?? `call${String(index).padStart(5, '0')}`)
        .replaceAll(namePlaceholder, call.name);
    return `${fill(writing.beforeName)}${call.name}${fill(writing.afterName)}${writeArguments(writing.arguments, call.arguments)}${fill(writing.afterArguments)}`;
  });
  return `${writing.sectionOpen}${texts.join(writing.separator)}${writing.sectionClose}`;
}

function writeArguments(writing: ArgumentsWriting, values: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  switch (writing.kind) {
    case 'json':
      return writeJson(values);
    case 'tagged':
      return entries
        .map(([key, value]) => {
          const isString = typeof value === 'string';
          const middle = isString ? (writing.afterStringKey ?? writing.afterKey) : writing.afterKey;
          return `${writing.beforeKey}${key}${middle}${isString ? value : writeJson(value)}${writing.afterValue}`;
        })
        .join(writing.separator);
    case 'python':
      return entries.map(([key, value]) => `${key}=${writePython(value)}`).join(', ');
    case 'braces':
      return writeBraces(values, writing.quote);
    case 'elements':
      return entries.map(([key, value]) => writeElement(key, value, writing.mark)).join('');
  }
}

/** JSON with the spaces that Python puts in. */
export function writeJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${writeJson(item)}`).join(', ')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** As Python's `repr`. */
function writePython(value: unknown): string {
  if (typeof value === 'string') {
    const inner = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
    if (value.includes("'") && !value.includes('"')) return `"${inner}"`;
    return `'${inner.replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(writePython).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${writePython(key)}: ${writePython(item)}`)
      .join(', ')}}`;
  }
  if (value === true) return 'True';
  if (value === false) return 'False';
  return value === null || value === undefined ? 'None' : writeJson(value);
}

function writeBraces(value: unknown, quote: string): string {
  if (typeof value === 'string') return `${quote}${value}${quote}`;
  if (Array.isArray(value)) return `[${value.map((item) => writeBraces(item, quote)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    // Its templates sort the keys.
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, item]) => `${key}:${writeBraces(item, quote)}`).join(',')}}`;
  }
  return writeJson(value);
}

function writeElement(key: string, value: unknown, mark: string): string {
  const inner = Array.isArray(value)
    ? value.map((item) => writeElement('item', item, mark)).join('')
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([name, item]) => writeElement(name, item, mark))
          .join('')
      : typeof value === 'string'
        ? value
        : writeJson(value);
  return `${mark}<${key}>${inner}${mark}</${key}>`;
}
