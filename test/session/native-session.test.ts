import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { describeSession } from '../contract/session.ts';
import { tinyLlama, tinyLlamaShape } from '../support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-native-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

async function openTiny(): Promise<Session> {
  const path = join(folder, `tiny-${files++}.gguf`);
  writeFileSync(path, tinyLlama());
  const gguf = await openGguf(nodePlatform, path);
  try {
    return await nodePlatform.createSession({
      gguf,
      contextLength: tinyLlamaShape.context,
      dialect: 'native',
    });
  } finally {
    await closeGguf(gguf);
  }
}

// No tolerance: a row's logits depend on the model and the row alone.
describeSession('the native session', {
  open: openTiny,
  tokens: Int32Array.from({ length: 24 }, (_, index) => (index * 37) % 250),
});
