import { RivuletError } from '../../src/errors.ts';

interface Page {
  /** Sequences that hold it. */
  uses: number;
}

/** The pages of one sequence, position 0 first. */
export type PageList = Page[];

/** Book-keeping of a paged cache: pages within a budget, shared until one of their sequences writes. */
export interface TablePages {
  /** Pages that anybody holds. */
  readonly used: number;
  /** The most that were held at once. */
  readonly peak: number;
  fork(pages: PageList, length: number): PageList;
  truncate(pages: PageList, length: number): void;
  /** @throws {RivuletError} `BUSY` when these sequences cannot all grow; nothing has happened then */
  grow(items: readonly { readonly pages: PageList; readonly length: number; readonly more: number }[]): void;
  /** Different pages of some sequences. */
  countOf(lists: readonly PageList[]): number;
}

export function createTablePages(pageTokens: number, limit: number): TablePages {
  let used = 0;
  let peak = 0;

  const release = (page: Page): void => {
    page.uses -= 1;
    if (page.uses === 0) used -= 1;
  };
  const pagesFor = (length: number): number => Math.ceil(length / pageTokens);

  return {
    get used() {
      return used;
    },
    get peak() {
      return peak;
    },
    fork(pages, length) {
      const shared = pages.slice(0, pagesFor(length));
      for (const page of shared) page.uses += 1;
      return shared;
    },
    truncate(pages, length) {
      for (const page of pages.splice(pagesFor(length))) release(page);
    },
    grow(items) {
      const uses = new Map<Page, number>();
      const writes = items.map(({ pages, length, more }) => {
        const last = length % pageTokens === 0 ? undefined : pages.at(-1);
        const lastUses = last === undefined ? 0 : (uses.get(last) ?? last.uses);
        if (last !== undefined && lastUses > 1) uses.set(last, lastUses - 1);
        return { pages, copies: lastUses > 1, missing: pagesFor(length + more) - pages.length };
      });
      const wanted = writes.reduce((sum, { copies, missing }) => sum + missing + Number(copies), 0);
      if (used + wanted > limit) {
        throw new RivuletError('BUSY', `Expected ${wanted} free pages, found ${limit - used}.`);
      }
      for (const { pages, copies, missing } of writes) {
        if (copies) release(pages.pop()!);
        const count = missing + Number(copies);
        for (let index = 0; index < count; index += 1) pages.push({ uses: 1 });
        used += count;
      }
      peak = Math.max(peak, used);
    },
    countOf: (lists) => new Set(lists.flat()).size,
  };
}
