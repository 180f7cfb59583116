import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** Path of a tiny model of the trimmed conformance data, unpacked for this process. */
export function conformanceModelPath(name: string): string {
  const folder = join(tmpdir(), `rivulet-models-${process.pid}`);
  const path = join(folder, `${name}.gguf`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const packed = fileURLToPath(new URL(`../conformance/tiny-models/${name}.gguf.gz`, import.meta.url));
    writeFileSync(path, gunzipSync(readFileSync(packed)));
  }
  return path;
}
