/** The place of a file in a split model. */
export interface ShardName {
  readonly prefix: string;
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

// `llama_split_path`: "%s-%05d-of-%05d.gguf", counted from 1.
const pattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** Reads the name of a split file from a path or URL; `undefined` when it is not named as one. */
export function parseShardName(pathOrUrl: string): ShardName | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(pathOrUrl);
  const path = isUrl ? pathOrUrl.replace(/[?#].*$/s, '') : pathOrUrl;
  const fileName = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const match = pattern.exec(fileName);
  if (match === null) return undefined;
  const [, prefix = '', index, count] = match;
  return { prefix, index: Number(index) - 1, count: Number(count) };
}

/** The file name of another part of the same model. */
export function shardFileName(name: ShardName, index: number): string {
  const digits = (value: number): string => String(value).padStart(5, '0');
  return `${name.prefix}-${digits(index + 1)}-of-${digits(name.count)}.gguf`;
}
