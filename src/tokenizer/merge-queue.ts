const initialCapacity = 256;

/** A binary heap of possible merges: lowest priority number first, then the leftmost. */
export class MergeQueue {
  #priorities: Float64Array = new Float64Array(initialCapacity);
  #lefts: Int32Array = new Int32Array(initialCapacity);
  #lengths: Int32Array = new Int32Array(initialCapacity);
  #values: Int32Array = new Int32Array(initialCapacity);
  #size = 0;

  /** The entry last taken by {@link pop}: position of its left symbol. */
  left = 0;
  /** The entry last taken by {@link pop}: length of both symbols when it was pushed. */
  length = 0;
  /** The entry last taken by {@link pop}: what the merge rules answered. */
  value = 0;

  get size(): number {
    return this.#size;
  }

  push(priority: number, left: number, length: number, value: number): void {
    if (this.#size === this.#lefts.length) this.#grow();
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#before(priority, left, parent)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#write(hole, priority, left, length, value);
  }

  /** Takes the first entry into {@link left}, {@link length} and {@link value}. The queue must not be empty. */
  pop(): void {
    this.left = this.#lefts[0] as number;
    this.length = this.#lengths[0] as number;
    this.value = this.#values[0] as number;
    const last = --this.#size;
    if (last === 0) return;
    const priority = this.#priorities[last] as number;
    const left = this.#lefts[last] as number;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= last) break;
      const sibling = child + 1;
      if (
        sibling < last &&
        this.#before(this.#priorities[sibling] as number, this.#lefts[sibling] as number, child)
      ) {
        child = sibling;
      }
      if (this.#before(priority, left, child)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#write(hole, priority, left, this.#lengths[last] as number, this.#values[last] as number);
  }

  #before(priority: number, left: number, slot: number): boolean {
    const other = this.#priorities[slot] as number;
    return priority < other || (priority === other && left < (this.#lefts[slot] as number));
  }

  #move(from: number, to: number): void {
    this.#write(
      to,
      this.#priorities[from] as number,
      this.#lefts[from] as number,
      this.#lengths[from] as number,
      this.#values[from] as number,
    );
  }

  #write(slot: number, priority: number, left: number, length: number, value: number): void {
    this.#priorities[slot] = priority;
    this.#lefts[slot] = left;
    this.#lengths[slot] = length;
    this.#values[slot] = value;
  }

  #grow(): void {
    const capacity = this.#lefts.length * 2;
    const priorities = new Float64Array(capacity);
    priorities.set(this.#priorities);
    this.#priorities = priorities;
    this.#lefts = grown(this.#lefts, capacity);
    this.#lengths = grown(this.#lengths, capacity);
    this.#values = grown(this.#values, capacity);
  }
}

function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
