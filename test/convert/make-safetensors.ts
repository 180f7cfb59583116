/** A tensor to write, outermost dimension first. */
export interface TensorContent {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file. */
export function makeSafetensors(tensors: Readonly<Record<string, TensorContent>>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  return safetensorsOf(
    JSON.stringify(header),
    Buffer.concat(Object.values(tensors).map(({ bytes }) => bytes)),
  );
}

/** Any header with any data behind it. */
export function safetensorsOf(header: string, data: Uint8Array): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, data]));
}
