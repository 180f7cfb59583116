import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { asNumber, isTrue, typeName } from './values.ts';
import type { Arguments, Value } from './values.ts';
import { plain } from './marked-text.ts';

/** Reads the arguments of one call of a built-in function by position or name. */
export class ArgumentReader {
  readonly context: RenderContext;
  readonly #name: string;
  readonly #given: Arguments;
  readonly #parameters: readonly string[];

  /** @throws {TemplateRuntimeError} when there are more arguments than parameters, or unknown names */
  constructor(context: RenderContext, name: string, given: Arguments, parameters: readonly string[]) {
    this.context = context;
    this.#name = name;
    this.#given = given;
    this.#parameters = parameters;
    if (given.positional.length > parameters.length) {
      throw new TemplateRuntimeError(
        `${name}() takes at most ${parameters.length} arguments (${given.positional.length} given)`,
      );
    }
    for (const named of given.named.keys()) {
      if (!parameters.includes(named)) {
        throw new TemplateRuntimeError(`${name}() got an unexpected keyword argument '${named}'`);
      }
    }
  }

  optional(parameter: string): Value | undefined {
    const index = this.#parameters.indexOf(parameter);
    const positional = this.#given.positional[index];
    return positional === undefined ? this.#given.named.get(parameter) : positional;
  }

  has(parameter: string): boolean {
    const index = this.#parameters.indexOf(parameter);
    return index < this.#given.positional.length || this.#given.named.has(parameter);
  }

  /** The value, where `None` counts as given. */
  value(parameter: string): Value {
    if (!this.has(parameter)) {
      throw new TemplateRuntimeError(`${this.#name}() missing required argument: '${parameter}'`);
    }
    return this.optional(parameter) ?? null;
  }

  text(parameter: string): string {
    const value = this.value(parameter);
    if (typeof value === 'string') return value;
    throw new TemplateRuntimeError(`${this.#name}() argument must be str, not ${typeName(value)}`);
  }

  /** A text, or nothing for `None` and what is not given. */
  optionalText(parameter: string): string | undefined {
    return (this.optional(parameter) ?? null) === null ? undefined : this.text(parameter);
  }

  /** A text that names something, without marks. */
  name(parameter: string): string {
    return plain(this.context, this.text(parameter));
  }

  integer(parameter: string, otherwise: number): number {
    const value = this.optional(parameter) ?? null;
    if (value === null) return otherwise;
    const number = typeof value === 'string' ? undefined : asNumber(value);
    if (number !== undefined && Number.isInteger(number)) return number;
    throw new TemplateRuntimeError(
      `${this.#name}(): '${typeName(value)}' object cannot be interpreted as an integer`,
    );
  }

  isTrue(parameter: string, otherwise = false): boolean {
    return this.has(parameter) ? isTrue(this.optional(parameter) ?? null) : otherwise;
  }
}
