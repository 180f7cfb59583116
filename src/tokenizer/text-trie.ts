import { PairTable } from './pair-table.ts';

const initialNodes = 1024;

/** A tree over the UTF-16 units of token texts: all tokens that begin at a place are found in one walk. */
export class TextTrie {
  static readonly root = 0;

  readonly #children: PairTable = new PairTable(initialNodes);
  /** (nNodes) id of the token that ends at a node, -1 for none. */
  #ids: Int32Array = new Int32Array(initialNodes).fill(-1);
  #size = 1;

  /** Of two tokens with one text the later counts. */
  insert(text: string, id: number): void {
    let node: number = TextTrie.root;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      let child = this.#children.get(node, unit);
      if (child === PairTable.absent) {
        child = this.#addNode();
        this.#children.set(node, unit, child);
      }
      node = child;
    }
    this.#ids[node] = id;
  }

  /** The node that a UTF-16 unit leads to, negative if no token goes on so. */
  child(node: number, unit: number): number {
    return this.#children.get(node, unit);
  }

  /** The token that ends at a node, or -1. */
  idAt(node: number): number {
    return this.#ids[node] as number;
  }

  #addNode(): number {
    if (this.#size === this.#ids.length) {
      const larger = new Int32Array(this.#size * 2).fill(-1);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    return this.#size++;
  }
}
