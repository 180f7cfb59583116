import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** What blocks take for granted: imports that an earlier block showed, and values of the reader's own. */
const assumed: Readonly<Record<string, string>> = {
  generateText: `import { generateText } from 'ai';`,
  Output: `import { Output } from 'ai';`,
  z: `import { z } from 'zod';`,
  local: `import { local } from 'rivulet/ai-sdk';`,
  texts: 'declare const texts: string[];',
  query: 'declare const query: string;',
  documents: 'declare const documents: string[] & import("@langchain/core/documents").Document[];',
  tools: 'declare const tools: import("@langchain/core/tools").StructuredTool[];',
  schema: `import { z as zod } from 'zod'; declare const schema: zod.ZodObject<{ name: zod.ZodString }>;`,
  MemoryVectorStore: `declare const MemoryVectorStore: { fromDocuments(
    documents: import("@langchain/core/documents").Document[],
    embeddings: import("@langchain/core/embeddings").EmbeddingsInterface,
  ): Promise<import("@langchain/core/vectorstores").VectorStore> };`,
};

/** A module from a block: with what it takes for granted and does not name itself. */
function completed(block: string): string {
  const declares = (name: string): boolean =>
    new RegExp(`(?:import \\{[^}]*|const (?:\\{[^}]*)?)\\b${name}\\b`).test(block);
  const missing = Object.keys(assumed).filter(
    (name) => new RegExp(`(?<![\\w.'-])${name}\\b(?!['-])`).test(block) && !declares(name),
  );
  return [...missing.map((name) => assumed[name]), block, 'export {};', ''].join('\n');
}

/** The names in the first column of a table, found by the line above it. */
function namesInTable(lineAbove: string): string[] {
  const after = readme.slice(readme.indexOf(lineAbove) + lineAbove.length);
  const table = /(?:^\|.*\n)+/m.exec(after)?.[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
}

const tables = [
  ['LocalProviderSettings', 'Settings of `createLocal`'],
  ['LocalLanguageModelOptions', '`providerOptions.local` of `generateText`'],
  ['LocalEmbeddingModelOptions', '`providerOptions.local` of `embed`'],
  ['LocalRerankingModelOptions', '`providerOptions.local` of `rerank`'],
] as const;

it('every TypeScript block of the README compiles, and its tables name the options that exist, and no others', async () => {
  const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, block = '']) => block);
  expect(blocks.length).toBeGreaterThan(8);
  const names = tables.map(([type, lineAbove]) => [type, namesInTable(lineAbove)] as const);
  for (const [type, found] of names) expect(found.length, type).toBeGreaterThan(1);
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules/.cache/readme-'));
  try {
    blocks.forEach((block, index) => writeFileSync(join(folder, `block-${index + 1}.ts`), completed(block)));
    const checks = names.map(
      ([type, found]) =>
        `export const of${type}: Record<keyof ${type}, true> = { ${found.map((name) => `${name}: true`).join(', ')} };`,
    );
    const imports = `import type { ${tables.map(([type]) => type).join(', ')} } from 'rivulet/ai-sdk';`;
    writeFileSync(join(folder, 'tables.ts'), [imports, ...checks, ''].join('\n'));
    const settings = {
      extends: join(root, 'test/tsconfig.json'),
      compilerOptions: { rootDir: root, noUnusedLocals: false, types: ['node'] },
      include: [folder],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [
      tsc,
      '-p',
      folder,
      '--pretty',
      'false',
    ]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
