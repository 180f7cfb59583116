import { readFile } from 'node:fs/promises';
import type { ChatRequest, GenerationOptions, JSONSchema } from '../index.ts';
import { booleanFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { UsageError } from './usage-error.ts';

/** What flags say of an answer. */
export type AnswerOptions = GenerationOptions & Pick<ChatRequest, 'responseFormat'>;

const flagNames = ['json', 'jsonSchema', 'grammar', 'regex'] as const;

/** The flags that hold an answer to a form; one at most. @throws {UsageError} */
export async function readFormatFlags(
  flags: FlagValues,
): Promise<Pick<GenerationOptions, 'grammar'> & Pick<ChatRequest, 'responseFormat'>> {
  const given = flagNames.filter((name) => flags[name] !== undefined);
  if (given.length > 1) {
    throw new UsageError('Give one of --json, --json-schema, --grammar and --regex, not several.');
  }
  if (booleanFlag(flags, 'json')) return { responseFormat: { type: 'json' } };
  const schema = await textOrFile(textFlag(flags, 'jsonSchema'), 'json-schema');
  if (schema !== undefined) return { responseFormat: { type: 'json', schema: parseSchema(schema) } };
  const gbnf = await textOrFile(textFlag(flags, 'grammar'), 'grammar');
  if (gbnf !== undefined) return { grammar: { gbnf } };
  const regex = textFlag(flags, 'regex');
  return regex === undefined ? {} : { grammar: { regex } };
}

/** `@path` names a file. */
async function textOrFile(value: string | undefined, flag: string): Promise<string | undefined> {
  if (value === undefined || !value.startsWith('@')) return value;
  try {
    return await readFile(value.slice(1), 'utf8');
  } catch (error) {
    throw new UsageError(`The flag --${flag} names a file that cannot be read: ${String(error)}`);
  }
}

function parseSchema(text: string): JSONSchema {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw new UsageError('The flag --json-schema needs a JSON schema or @ and the name of its file.');
  }
  if (
    typeof schema === 'boolean' ||
    (typeof schema === 'object' && schema !== null && !Array.isArray(schema))
  ) {
    return schema as JSONSchema;
  }
  throw new UsageError('The flag --json-schema needs an object or a boolean.');
}
