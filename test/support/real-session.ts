import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import type { DialectName } from './tiny-model.ts';
import { defaultModelPath } from './default-model.ts';

/** The default model's session and tokenizer, without a worker between. */
export async function openRealSession(
  dialect: DialectName,
): Promise<{ session: Session; tokenizer: Tokenizer }> {
  const gguf = await openGguf(nodePlatform, await defaultModelPath());
  try {
    const session = await nodePlatform.createSession({ gguf, contextLength: 2048, dialect });
    return { session, tokenizer: createTokenizer(gguf.metadata) };
  } finally {
    await closeGguf(gguf);
  }
}
