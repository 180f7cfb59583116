import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { SharedV4FileData } from '@ai-sdk/provider';
import { convertBase64ToUint8Array } from '@ai-sdk/provider-utils';

/** Kinds of `application/…` that are text, besides all of `text/…` and what ends in `+json`, `+xml` or `+yaml`. */
const textKinds: ReadonlySet<string> = new Set([
  'javascript',
  'json',
  'jsonl',
  'ndjson',
  'sql',
  'toml',
  'x-javascript',
  'x-ndjson',
  'x-sh',
  'x-yaml',
  'xml',
  'yaml',
]);

interface FilePart {
  readonly data: SharedV4FileData;
  readonly mediaType: string;
  readonly filename?: string | undefined;
}

/**
 * A file as the model reads it: its text, below its name when it has one.
 *
 * @throws {UnsupportedFunctionalityError} for files that are no text, and for addresses
 */
export function readTextFile(part: FilePart, place: string): string {
  const text = textOf(part, place);
  return part.filename === undefined ? text : `${part.filename}:\n${text}`;
}

function textOf({ data, mediaType }: FilePart, place: string): string {
  if (data.type === 'text') return data.text;
  const { isText, charset } = readMediaType(mediaType);
  if (!isText) {
    throw unsupported(
      mediaType,
      `This model reads text, found a file of type ${mediaType} in ${place}; take it out or put its text into the message.`,
    );
  }
  if (data.type !== 'data') {
    throw unsupported(
      mediaType,
      `Expected the content of the file of type ${mediaType} in ${place}, found ${data.type === 'url' ? 'its address' : 'a reference to it'}; give its bytes or its text.`,
    );
  }
  const bytes = typeof data.data === 'string' ? convertBase64ToUint8Array(data.data) : data.data;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw unsupported(
      mediaType,
      `The file of type ${mediaType} in ${place} is no text in ${charset}; name its encoding in the type, as in text/plain; charset=iso-8859-1, or give its text.`,
    );
  }
}

function readMediaType(mediaType: string): { isText: boolean; charset: string } {
  const [essence = '', ...parameters] = mediaType.toLowerCase().split(';');
  const [type, subtype = ''] = essence.trim().split('/');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/u.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  const isText =
    type === 'text' ||
    (type === 'application' && (textKinds.has(subtype) || /\+(?:json|xml|yaml)$/u.test(subtype)));
  return { isText, charset: charset ?? 'utf-8' };
}

function unsupported(mediaType: string, message: string): UnsupportedFunctionalityError {
  return new UnsupportedFunctionalityError({ functionality: `file part of type ${mediaType}`, message });
}
