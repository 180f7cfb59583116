import { RivuletError } from '../errors.ts';

/** A listing in a message stays readable. */
const maximumListedFiles = 20;

export function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/**
 * The one GGUF file of a package that a reference means by its whole path or the end of it.
 * @throws {RivuletError} `SOURCE_NOT_FOUND` when none matches, `REFERENCE_INVALID` when several do
 */
export function choosePackageFile(
  packageName: string,
  paths: readonly string[],
  file: string | undefined,
): string {
  const models = paths.filter(isGguf);
  const exact = models.find((path) => path === file);
  if (exact !== undefined) return exact;
  const matches = models.filter((path) => file === undefined || path.endsWith(`/${file}`));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  const listed = models.slice(0, maximumListedFiles);
  const details = { package: packageName, files: listed };
  if (only === undefined) {
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected ${file === undefined ? 'a GGUF file' : `"${file}"`} in the package ${packageName}, found ${
        listed.length === 0 ? 'no GGUF file' : `only ${listed.join(', ')}`
      }. Check the reference.`,
      { details },
    );
  }
  throw new RivuletError(
    'REFERENCE_INVALID',
    `Expected one GGUF file in the package ${packageName}, found ${matches.slice(0, maximumListedFiles).join(', ')}. Name one of them after a slash at the end of the reference.`,
    { details },
  );
}
