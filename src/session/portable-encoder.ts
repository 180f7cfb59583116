import { RivuletError } from '../errors.ts';
import { checkItems, rowsOfPooling } from './encoder.ts';
import type { Encoder, EncoderInfo, EncoderItem, RowPooling } from './encoder.ts';
import { layOutTexts } from './lay-out-texts.ts';
import type { TextFeeds } from './lay-out-texts.ts';

/** ONNX Runtime of one platform, holding one loaded portable graph of whole texts. */
export interface PortableTextRunner {
  readonly threads: number;
  readonly device: EncoderInfo['device'];
  /** Vectors (nVectors, width) and, from graphs with a head, scores (nVectors, labels), both f32. */
  run(feeds: TextFeeds): Promise<{ readonly vectors: Float32Array; readonly scores?: Float32Array }>;
  release(): Promise<void>;
}

/** An encoder over the portable graph: all texts of a step in one run. */
export class PortableEncoder implements Encoder {
  readonly info: EncoderInfo;
  readonly #runner: PortableTextRunner;
  readonly #rankRows: RowPooling;
  #released = false;

  /** @param rankRows what the rank head looks at */
  constructor(runner: PortableTextRunner, info: EncoderInfo, rankRows: RowPooling) {
    this.#runner = runner;
    this.info = info;
    this.#rankRows = rankRows;
  }

  async encode(items: readonly EncoderItem[], signal?: AbortSignal): Promise<readonly Float32Array[]> {
    signal?.throwIfAborted();
    this.#requireOpen();
    checkItems(this.info, items);
    if (items.length === 0) return [];
    const texts = items.map(({ tokens, pooling }) => ({
      tokens,
      rows: rowsOfPooling(pooling, this.#rankRows),
    }));
    const { vectors, scores } = await this.#runner.run(layOutTexts(texts));
    signal?.throwIfAborted();
    this.#requireOpen();
    let first = 0;
    return items.map(({ tokens, pooling }) => {
      const [values, width] =
        pooling === 'rank' ? [scores ?? vectors, this.info.labels ?? 0] : [vectors, this.info.width];
      const end = first + (pooling === 'none' ? tokens.length : 1);
      const own = values.slice(first * width, end * width);
      first = end;
      return requireFinite(own);
    });
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#runner.release();
  }

  #requireOpen(): void {
    if (this.#released) throw new RivuletError('DISPOSED', 'The encoder was disposed.');
  }
}

function requireFinite(values: Float32Array): Float32Array {
  if (values.every(Number.isFinite)) return values;
  throw new RivuletError(
    'WEIGHTS_NOT_FINITE',
    "Expected the model to make vectors of numbers, found NaN or infinity. The file's weights are damaged; download or convert it again.",
  );
}
