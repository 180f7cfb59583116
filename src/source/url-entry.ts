/** Where the file of a URL is kept: below its host, apart from other URLs that end in the same name. */
export function urlEntry(url: string): { key: string; fileName: string } {
  const { host, pathname, search } = new URL(url);
  const parts = pathname.split('/').slice(1);
  const last = parts.at(-1) ?? '';
  const query = search === '' ? [] : [search];
  return {
    key: ['url', host, ...parts.slice(0, -1), ...query].join('/'),
    fileName: last === '' ? 'model.gguf' : last,
  };
}
