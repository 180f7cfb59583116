import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';

/** The same file in the exact portable dialect and in the native one, for chunks of 512 tokens. */
export async function openBothDialects(
  path: string,
): Promise<{ portable: Session; native: Session; tokenizer: Tokenizer }> {
  const gguf = await openGguf(nodePlatform, path);
  try {
    const options = { gguf, contextLength: 512 };
    const portable = await nodePlatform.createSession({ ...options, dialect: 'portable' });
    const native = await nodePlatform.createSession({ ...options, dialect: 'native' });
    return { portable, native, tokenizer: createTokenizer(gguf.metadata) };
  } finally {
    await closeGguf(gguf);
  }
}
