import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import type { ModelFiles } from './model-files.ts';

/** The longest tokenizer.json in use has 35 MB, and takes many times that as objects in memory. */
const maximumJsonBytes = 64 * 2 ** 20;

/** The fields of an object in an untrusted JSON file. */
export class JsonFields {
  /** Name for messages. */
  readonly file: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(file: string, value: object) {
    this.file = file;
    this.#fields = new Map(Object.entries(value));
  }

  names(): Iterable<string> {
    return this.#fields.keys();
  }

  has(name: string): boolean {
    return (this.#fields.get(name) ?? undefined) !== undefined;
  }

  /** A whole number >= 0. @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  count(name: string): number {
    return this.optionalCount(name) ?? this.#missing(name);
  }

  optionalCount(name: string): number | undefined {
    const value = this.optionalNumber(name);
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
    throw this.#wrongType(name, 'a whole number');
  }

  optionalNumber(name: string): number | undefined {
    return this.#optional(name, 'a number', (value) => typeof value === 'number');
  }

  /** @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE` */
  string(name: string): string {
    return this.optionalString(name) ?? this.#missing(name);
  }

  optionalString(name: string): string | undefined {
    return this.#optional(name, 'a string', (value) => typeof value === 'string');
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.#optional(name, 'true or false', (value) => typeof value === 'boolean');
  }

  optionalList(name: string): readonly unknown[] | undefined {
    return this.#optional(name, 'a list', (value): value is readonly unknown[] => Array.isArray(value));
  }

  optionalObject(name: string): JsonFields | undefined {
    const value = this.#optional(name, 'an object', isObject);
    return value === undefined ? undefined : new JsonFields(this.file, value);
  }

  /** The objects of a list. @throws {RivuletError} `METADATA_WRONG_TYPE` */
  optionalObjects(name: string): readonly JsonFields[] | undefined {
    return this.optionalList(name)?.map((value) => {
      if (!isObject(value)) throw this.#wrongType(name, 'a list of objects');
      return new JsonFields(this.file, value);
    });
  }

  #optional<T>(name: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.#fields.get(name);
    if (value === undefined || value === null) return undefined;
    if (is(value)) return value;
    throw this.#wrongType(name, expected);
  }

  #missing(name: string): never {
    throw new RivuletError(
      'METADATA_MISSING',
      `Expected ${quoted(name)} in ${this.file}, but it is not there. The model is of another kind or incomplete; download it again.`,
      { details: { file: this.file, key: name } },
    );
  }

  #wrongType(name: string, expected: string): RivuletError {
    return new RivuletError(
      'METADATA_WRONG_TYPE',
      `Expected ${quoted(name)} in ${this.file} to be ${expected}, found something else. Download the model again.`,
      { details: { file: this.file, key: name } },
    );
  }
}

/** Reads a text file of the model, undefined if it is not there. @throws {RivuletError} `SOURCE_UNREADABLE` */
export async function readModelText(
  files: ModelFiles,
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const source = await files.open(path);
  if (source === undefined) return undefined;
  try {
    if (source.size > maximumJsonBytes) {
      throw new RivuletError(
        'SOURCE_UNREADABLE',
        `Expected "${path}" in ${files.name} to have at most ${maximumJsonBytes} bytes, found ${source.size}. It is not what its name says; download the model again.`,
        { details: { path, sizeBytes: source.size } },
      );
    }
    return new TextDecoder().decode(await source.read(0, source.size, signal));
  } finally {
    await source.close();
  }
}

/** Reads a JSON object of the model, undefined if it is not there. @throws {RivuletError} `SOURCE_UNREADABLE` */
export async function readModelJson(
  files: ModelFiles,
  path: string,
  signal?: AbortSignal,
): Promise<JsonFields | undefined> {
  const text = await readModelText(files, path, signal);
  return text === undefined ? undefined : new JsonFields(path, parseObject(text, path));
}

/** The same for a list of objects. @throws {RivuletError} `SOURCE_UNREADABLE`, `METADATA_WRONG_TYPE` */
export async function readModelList(
  files: ModelFiles,
  path: string,
  signal?: AbortSignal,
): Promise<readonly JsonFields[] | undefined> {
  const text = await readModelText(files, path, signal);
  if (text === undefined) return undefined;
  return new JsonFields(path, parseObject(`{"list":${text}}`, path)).optionalObjects('list');
}

/** @throws {RivuletError} `SOURCE_UNREADABLE` */
export function parseObject(text: string, path: string): object {
  let value: unknown;
  let cause: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (isObject(value)) return value;
  throw new RivuletError(
    'SOURCE_UNREADABLE',
    `Expected a JSON object in "${path}", found something else. The file is damaged; download the model again.`,
    { details: { path }, cause },
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
