import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import type { GgufFile } from '../gguf/read-gguf.ts';
import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { PackEntry, WeightPack } from '../graph/weight-pack.ts';
import type { ExternalData } from '../onnx/graph-builder.ts';
import { repackNBits } from '../quant/repack-nbits.ts';
import { toLittleEndian } from '../quant/to-little-endian.ts';

/** Puts bytes at an offset of the pack file. */
export type PackSink = (offsetBytes: number, bytes: Uint8Array) => Promise<void>;

/** Where the weights come from. */
type WeightSource = Pick<GgufFile, 'sources' | 'littleEndian'>;

/** Rows are repacked in pieces of about this size, so that memory stays bounded and aborting is prompt. */
const pieceBytes = 4 << 20;

/** Repacks all matrices of a model into its pack file, see {@link WeightPack}. */
export async function writePack(
  gguf: WeightSource,
  pack: WeightPack,
  sink: PackSink,
  options: { readonly onProgress?: ProgressListener; readonly signal?: AbortSignal } = {},
): Promise<void> {
  for (const entry of pack.entries) {
    await writeEntry(gguf, entry, sink, options.signal);
    const { matrix } = entry;
    options.onProgress?.({
      phase: 'repack',
      label: entry.tensor.name,
      doneBytes: (matrix.kind === 'float' ? matrix.data : matrix.codes).offsetBytes,
      totalBytes: pack.lengthBytes,
    });
  }
}

async function writeEntry(
  gguf: WeightSource,
  { tensor, matrix }: PackEntry,
  sink: PackSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = gguf.sources[tensor.shard];
  if (source === undefined)
    throw new RivuletError('GGUF_SHARD_MISSING', `Shard ${tensor.shard} is not open.`);
  const [columns = 1] = tensor.shape;
  const rows = tensor.elementCount / columns;
  const rowBytes = tensor.byteLength / rows;
  const pieceRows = Math.max(1, Math.floor(pieceBytes / rowBytes));
  for (let row = 0; row < rows; row += pieceRows) {
    signal?.throwIfAborted();
    const count = Math.min(pieceRows, rows - row);
    const read = await source.read(tensor.offset + row * rowBytes, count * rowBytes, signal);
    const bytes = gguf.littleEndian ? read : toLittleEndian(tensor.type, read);
    if (matrix.kind === 'float') {
      await sink(matrix.data.offsetBytes + row * rowBytes, bytes);
      continue;
    }
    const parts = repackNBits(tensor.type, bytes, count, columns);
    requireFinite(tensor, parts.scales);
    if (parts.correction !== undefined) requireFinite(tensor, parts.correction);
    const at = (data: ExternalData): number => data.offsetBytes + (data.lengthBytes / rows) * row;
    await sink(at(matrix.codes), parts.codes);
    await sink(at(matrix.scales), bytesOf(parts.scales));
    if (matrix.correction !== undefined && parts.correction !== undefined) {
      await sink(at(matrix.correction), bytesOf(parts.correction));
    }
  }
}

function requireFinite(tensor: TensorInfo, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new RivuletError(
    'WEIGHTS_NOT_FINITE',
    `The tensor "${tensor.name}" holds NaN or infinite scales. The file is damaged or the conversion went wrong; download it again or choose another quantization.`,
    { details: { tensor: tensor.name } },
  );
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
