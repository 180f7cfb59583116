import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { loadModel } from '../../src/index.ts';
import type { Model } from '../../src/model.ts';
import { tinyLlama } from '../support/tiny-llama.ts';

let folder: string;
let path: string;
let model: Model;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rivulet-text-side-'));
  path = join(folder, 'tiny.gguf');
  writeFileSync(path, tinyLlama());
  model = await loadModel(path, { vocabularyOnly: true });
});
afterEach(async () => {
  await model.dispose();
  rmSync(folder, { recursive: true });
});

it('reads the header of the file at the first synchronous call', () => {
  expect(model.detokenize(model.tokenize('a brook'))).toBe('a brook');
});

it('says so when the file was changed since the model was loaded', () => {
  utimesSync(path, 1, 1);
  expect(() => model.tokenize('a brook')).toThrow(/tiny\.gguf.*changed since/);
});

it('says so when the file is gone', () => {
  rmSync(path);
  expect(() => model.tokenize('a brook')).toThrow(/moved, removed or changed/);
});
