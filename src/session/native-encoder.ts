import { RivuletError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { checkItems, rowsOfPooling } from './encoder.ts';
import type { Encoder, EncoderInfo, EncoderItem, RowPooling } from './encoder.ts';
import type { NativeEngine } from './native-addon.ts';

/** By the numbers of the addon's `NativeText`. */
const poolings: Readonly<Record<RowPooling, number>> = { mean: 0, cls: 1, last: 2, none: 3 };

/** An encoder of the native engine. */
export class NativeEncoder implements Encoder {
  readonly info: EncoderInfo;
  readonly #engine: NativeEngine;
  readonly #rankRows: RowPooling;
  #encoding: Promise<unknown> | undefined;
  #released = false;

  /** @param rankRows what the rank head looks at */
  constructor(engine: NativeEngine, info: EncoderInfo, rankRows: RowPooling) {
    this.#engine = engine;
    this.info = info;
    this.#rankRows = rankRows;
  }

  async encode(items: readonly EncoderItem[], signal?: AbortSignal): Promise<readonly Float32Array[]> {
    signal?.throwIfAborted();
    if (this.#released) throw new RivuletError('DISPOSED', 'The encoder was disposed.');
    checkItems(this.info, items);
    if (items.length === 0) return [];
    const cancel = (): void => this.#engine.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const running = this.#engine.encode(
      items.map(({ tokens, pooling }) => ({
        tokens,
        pooling: poolings[rowsOfPooling(pooling, this.#rankRows)],
        scored: pooling === 'rank',
      })),
    );
    this.#encoding = running;
    try {
      const { vectors, code, message } = await running;
      if (vectors !== undefined) return vectors;
      signal?.throwIfAborted();
      if (this.#released) throw new RivuletError('DISPOSED', 'The encoder was disposed.');
      throw new RivuletError((code ?? 'ENGINE_FAILED') as ErrorCode, message ?? '');
    } finally {
      this.#encoding = undefined;
      signal?.removeEventListener('abort', cancel);
    }
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#engine.cancel();
    await this.#encoding;
    this.#engine.end();
  }
}
