/** Half-full tables keep probe sequences short. */
const minimumCapacity = 1024;

/** A map from pairs of symbol ids (>= 0) to numbers: an open-addressing table, because a `Map` would need a boxed key per pair. */
export class PairTable {
  /** What {@link get} answers for a pair that was never set. */
  static readonly absent = -2;

  #left: Int32Array;
  #right: Int32Array;
  #value: Int32Array;
  #mask: number;
  #size = 0;

  /** @param expectedPairs how many pairs to make room for */
  constructor(expectedPairs: number) {
    let capacity = minimumCapacity;
    while (capacity < expectedPairs * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#left = new Int32Array(capacity).fill(-1);
    this.#right = new Int32Array(capacity);
    this.#value = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  get(left: number, right: number): number {
    const slot = this.#slotOf(left, right);
    return this.#left[slot] === -1 ? PairTable.absent : (this.#value[slot] as number);
  }

  set(left: number, right: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const slot = this.#slotOf(left, right);
    if (this.#left[slot] === -1) {
      this.#left[slot] = left;
      this.#right[slot] = right;
      this.#size++;
    }
    this.#value[slot] = value;
  }

  clear(): void {
    this.#left.fill(-1);
    this.#size = 0;
  }

  #slotOf(left: number, right: number): number {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const mask = this.#mask;
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (this.#left[slot] !== -1 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [lefts, rights, values] = [this.#left, this.#right, this.#value];
    const capacity = lefts.length * 2;
    this.#mask = capacity - 1;
    this.#left = new Int32Array(capacity).fill(-1);
    this.#right = new Int32Array(capacity);
    this.#value = new Int32Array(capacity);
    for (let old = 0; old < lefts.length; old++) {
      const left = lefts[old] as number;
      if (left === -1) continue;
      const right = rights[old] as number;
      const slot = this.#slotOf(left, right);
      this.#left[slot] = left;
      this.#right[slot] = right;
      this.#value[slot] = values[old] as number;
    }
  }
}
