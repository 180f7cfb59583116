import { readGguf } from './gguf/read-gguf.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import type { Platform } from './platform.ts';

/** Reads the header of a model and, when it is split, of all its parts. */
export async function openGguf(
  platform: Pick<Platform, 'openSource'>,
  location: string,
  signal?: AbortSignal,
): Promise<GgufFile> {
  const source = await platform.openSource(location);
  const opened = [source];
  try {
    return await readGguf(source, {
      ...(signal === undefined ? {} : { signal }),
      openSibling: async (fileName) => {
        const sibling = await platform.openSource(siblingOf(location, fileName));
        opened.push(sibling);
        return sibling;
      },
    });
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
}

export async function closeGguf(gguf: GgufFile): Promise<void> {
  await Promise.all(gguf.sources.map((source) => source.close()));
}

/** The file of another name in the same folder, for paths and URLs alike. */
function siblingOf(location: string, fileName: string): string {
  const end = Math.max(location.lastIndexOf('/'), location.lastIndexOf('\\'));
  return location.slice(0, end + 1) + fileName;
}
