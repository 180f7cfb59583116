import { valueTypeIds, type WritableValue } from './writable-value.ts';

const initialBytes = 2 ** 16;

type ScalarType = Exclude<keyof typeof valueTypeIds, 'string' | 'array'>;

/** Little-endian bytes of a GGUF header, in a buffer that grows. */
export class HeaderWriter {
  readonly #utf8: TextEncoder = new TextEncoder();
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What was written so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  /** UTF-8 without its length. */
  raw(text: string): void {
    this.#append(this.#utf8.encode(text));
  }

  string(text: string): void {
    const bytes = this.#utf8.encode(text);
    this.scalar('u64', bytes.length);
    this.#append(bytes);
  }

  /** The type of a value, then the value. */
  typedValue(value: WritableValue): void {
    this.scalar('u32', valueTypeIds[value.type]);
    if (value.type === 'string') return this.string(value.value);
    if (value.type !== 'array') return this.scalar(value.type, value.value);
    this.scalar('u32', valueTypeIds[value.items]);
    this.scalar('u64', value.value.length);
    const { length } = value.value;
    for (let index = 0; index < length; index++) {
      if (value.items === 'string') this.string(value.value[index] as string);
      else this.scalar(value.items, value.value[index] as number | bigint | boolean);
    }
  }

  scalar(type: ScalarType, value: number | bigint | boolean): void {
    const at = this.#reserve(8);
    const view = this.#view;
    switch (type) {
      case 'u8':
      case 'i8':
      case 'bool':
        view.setUint8(at, Number(value));
        this.#size += 1;
        return;
      case 'u16':
      case 'i16':
        view.setUint16(at, Number(value), true);
        this.#size += 2;
        return;
      case 'u32':
      case 'i32':
        view.setUint32(at, Number(value), true);
        this.#size += 4;
        return;
      case 'f32':
        view.setFloat32(at, Number(value), true);
        this.#size += 4;
        return;
      case 'f64':
        view.setFloat64(at, Number(value), true);
        this.#size += 8;
        return;
      case 'u64':
      case 'i64':
        view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
        this.#size += 8;
        return;
    }
  }

  #append(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#size += bytes.length;
  }

  /** Makes room and returns where it begins. */
  #reserve(count: number): number {
    if (this.#size + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#size + count, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return this.#size;
  }
}
