import type { JSONSchema } from '../messages.ts';
import { allowedTypes, isAllowed } from './argument-types.ts';
import type { ArgumentTypes } from './argument-types.ts';
import { escapeText, readLiteral, readWhole } from './read-literal.ts';
import { TextReader, wholeCharacters } from './text-reader.ts';

/** Takes the text of one argument as it comes and hands it over as JSON. */
export interface ArgumentWriter {
  push(text: string): void;
  /** The value is complete. False when what has gone out cannot become JSON any more. */
  end(): boolean;
}

export interface ArgumentWriterOptions {
  readonly schema: JSONSchema;
  /** Holds the definitions that `schema` refers to. */
  readonly root: JSONSchema;
  /** What the model itself says about the value; undefined: nothing. */
  readonly isString?: boolean | undefined;
  /** A line end at both sides is not part of the value. */
  readonly onLines: boolean;
  readonly write: (json: string) => void;
}

/** A text that stands for a value by its schema's type: strings, objects and lists go out as they come. */
export function createArgumentWriter(options: ArgumentWriterOptions): ArgumentWriter {
  const types = allowedTypes(options.schema, options.root);
  if (options.isString ?? (types?.size === 1 && types.has('string'))) return stringWriter(options);
  const isContainer =
    types !== undefined &&
    types.size > 0 &&
    [...types].every((type) => type === 'object' || type === 'array');
  return isContainer ? containerWriter(options) : valueWriter(options, types);
}

function stringWriter({ onLines, write }: ArgumentWriterOptions): ArgumentWriter {
  let isBegun = false;
  /** A line end or half a character that is not certain to be part of the value. */
  let held = '';
  return {
    push(text) {
      if (text === '') return;
      let rest = held + text;
      if (!isBegun) {
        write('"');
        if (onLines && rest.startsWith('\n')) rest = rest.slice(1);
      }
      isBegun = true;
      const end = onLines && rest.endsWith('\n') ? rest.length - 1 : wholeCharacters(rest, rest.length);
      if (end > 0) write(escapeText(rest.slice(0, end)));
      held = rest.slice(end);
    },
    end() {
      if (!isBegun) write('"');
      if (!onLines || held !== '\n') write(escapeText(held));
      write('"');
      return true;
    },
  };
}

function containerWriter({ onLines, write }: ArgumentWriterOptions): ArgumentWriter {
  const reader = new TextReader();
  let isBegun = false;
  let isValue: boolean | undefined;
  const reading = readLiteral(reader, (json) => {
    isBegun = true;
    write(json);
  });
  const advance = (): void => {
    if (isValue !== undefined) return;
    const step = reading.next();
    if (step.done === true) isValue = step.value;
  };
  return {
    push(text) {
      reader.push(text);
      advance();
    },
    end() {
      reader.ended = true;
      advance();
      if (isValue === true) return reader.text.slice(reader.position).trim() === '';
      if (isBegun) return false;
      write(JSON.stringify(onLines ? withoutLineEnds(reader.text) : reader.text));
      return true;
    },
  };
}

/** Goes out when it is complete: what is no JSON after all has to become a string. */
function valueWriter({ onLines, write }: ArgumentWriterOptions, types: ArgumentTypes): ArgumentWriter {
  let whole = '';
  return {
    push(text) {
      whole += text;
    },
    end() {
      write(toJson(onLines ? withoutLineEnds(whole) : whole, types));
      return true;
    },
  };
}

function withoutLineEnds(text: string): string {
  return text.replace(/^\n/, '').replace(/\n$/, '');
}

/** The value that a text stands for, as JSON. */
export function toJson(text: string, types: ArgumentTypes): string {
  const json = readWhole(text);
  if (json === undefined) return JSON.stringify(text);
  const fits = isAllowed(JSON.parse(json), types);
  return fits || types?.has('string') !== true ? json : JSON.stringify(text);
}
