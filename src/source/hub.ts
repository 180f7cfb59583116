import { RivuletError } from '../errors.ts';
import { downloadText } from './http.ts';
import type { DownloadOptions } from './http.ts';
import type { HubReference } from './reference.ts';

/** The public service. */
export const defaultHubUrl = 'https://huggingface.co';

/** Which file to take when a repository has several and none is named: small with little loss first. */
const preferredQuantizations: readonly string[] = [
  'Q4_K_M',
  'Q4_K_S',
  'Q4_0',
  'Q4_1',
  'Q5_K_M',
  'Q5_K_S',
  'Q8_0',
  'Q6_K',
  'Q3_K_M',
  'F16',
  'BF16',
  'F32',
];

/** A repository of many quantizations lists some hundred files. */
const maximumListingBytes = 32 * 2 ** 20;

/** Beside models, repositories keep GGUF files that are no language models. */
const companionPattern = /(?:^|[-._/])(?:mmproj|imatrix|ggml-vocab)/i;

const shardPattern = /^(?<stem>.*)-(?<index>\d{5})-of-(?<count>\d{5})\.gguf$/i;

/** More shards than any model has; a crafted name must not start a hundred thousand downloads. */
const maximumShards = 1000;

/** The address of one file of the reference's repository. */
export function hubFileUrl(reference: HubReference, file: string, hubUrl: string = defaultHubUrl): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  const revision = encodeURIComponent(reference.revision);
  return `${hubUrl.replace(/\/+$/, '')}/${reference.owner}/${reference.repository}/resolve/${revision}/${path}`;
}

/**
 * The path of the file that the reference means, chosen from the repository's listing by quantization.
 * @throws {RivuletError} `SOURCE_NOT_FOUND` naming what there is; as {@link downloadText}
 */
export async function chooseHubFile(
  reference: HubReference,
  hubUrl: string,
  options: DownloadOptions,
): Promise<string> {
  const name = `${reference.owner}/${reference.repository}`;
  const revision = encodeURIComponent(reference.revision);
  const url = `${hubUrl.replace(/\/+$/, '')}/api/models/${name}/revision/${revision}`;
  const listing = await downloadText(url, maximumListingBytes, { ...options, label: `files of ${name}` });
  const files = readListing(name, listing);
  const models = files.filter((file) => /\.gguf$/i.test(file) && !companionPattern.test(file));
  const chosen = pickFile(models, reference.quantization);
  if (chosen !== undefined) return chosen;
  const found = models.length === 0 ? 'no GGUF file' : models.slice(0, 40).join(', ');
  throw new RivuletError(
    'SOURCE_NOT_FOUND',
    `Expected a GGUF file${reference.quantization === undefined ? '' : ` of quantization ${reference.quantization}`} in the repository ${name}, found ${found}. Name one as hf:${name}/FILE.`,
    { details: { repository: name, files: models.slice(0, 40) } },
  );
}

/** All files of a model that is split by the `-00001-of-0000N` convention, the named one alone otherwise. */
export function shardsOf(file: string): readonly string[] {
  const { stem, count } = shardPattern.exec(file)?.groups ?? {};
  const total = Number(count ?? 1);
  if (stem === undefined || count === undefined || total < 2) return [file];
  if (total > maximumShards) {
    throw new RivuletError(
      'REFERENCE_INVALID',
      `Expected at most ${maximumShards} shards, found ${total} in the name "${file}". Correct the reference.`,
      { details: { file, shards: total } },
    );
  }
  return Array.from(
    { length: total },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`,
  );
}

function pickFile(models: readonly string[], quantization: string | undefined): string | undefined {
  // Of a split model only its first shard stands for the whole.
  const heads = models.filter((file) => Number(shardPattern.exec(file)?.groups?.['index'] ?? 1) === 1);
  if (quantization !== undefined)
    return shortest(heads.filter((file) => hasQuantization(file, quantization)));
  for (const preferred of preferredQuantizations) {
    const match = shortest(heads.filter((file) => hasQuantization(file, preferred)));
    if (match !== undefined) return match;
  }
  return heads.length === 1 ? heads[0] : undefined;
}

/** The quantization as a whole word of the path: `Q4_K` is not `Q4_K_M`. */
function hasQuantization(file: string, quantization: string): boolean {
  const escaped = quantization.replaceAll(/[^\w]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?:^|[-./])${escaped}(?=[-./])`, 'i').test(file);
}

/** Single files before split ones, plain names before variants; ties in listing order. */
function shortest(files: readonly string[]): string | undefined {
  const rank = (file: string): number => (shardPattern.test(file) ? 10_000 : 0) + file.length;
  return files.toSorted((left, right) => rank(left) - rank(right))[0];
}

/** The `siblings` of the hub's model API. */
function readListing(name: string, listing: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(listing);
  } catch (cause) {
    throw notListing(name, cause);
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    !('siblings' in value) ||
    !Array.isArray(value.siblings)
  ) {
    throw notListing(name, undefined);
  }
  return value.siblings.flatMap((sibling: unknown) => {
    const file = (sibling as { rfilename?: unknown } | null)?.rfilename;
    return typeof file === 'string' && !file.split('/').includes('..') ? [file] : [];
  });
}

function notListing(name: string, cause: unknown): RivuletError {
  return new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected the list of files of the repository ${name}, found another answer. Check that the hub address is one, or name a file as hf:${name}/FILE.gguf.`,
    { details: { repository: name }, cause },
  );
}
