import { TemplateLimitError } from './template-error.ts';
import {
  maximumCallDepth,
  maximumListItems,
  maximumRunTimeMs,
  maximumSteps,
  maximumTextCharacters,
  maximumTotalCharacters,
} from './template-limits.ts';

/** Looking at the clock costs more than a step. */
const stepsBetweenClockReadings = 1024;

/** A step is about as long as handling this many characters. */
const charactersPerStep = 64;

export interface RenderContextOptions {
  /** A character that occurs in no input and marks guarded places, see text-guards.ts. */
  readonly mark?: string | undefined;
  /** The value of `performance.now()` at which rendering must be over. */
  readonly deadlineMs?: number;
}

/** What one rendering has used so far, and where it is. */
export class RenderContext {
  readonly mark: string | undefined;
  /** Line of the tag being evaluated, counted from 1. */
  line = 1;
  readonly #deadlineMs: number;
  #steps = 0;
  #clockAt: number = stepsBetweenClockReadings;
  #totalCharacters = 0;
  #callDepth = 0;

  constructor(options: RenderContextOptions = {}) {
    this.mark = options.mark;
    this.#deadlineMs = options.deadlineMs ?? performance.now() + maximumRunTimeMs;
  }

  /** @throws {TemplateLimitError} */
  spend(steps = 1): void {
    this.#steps += steps;
    if (this.#steps < this.#clockAt) return;
    this.#clockAt = this.#steps + stepsBetweenClockReadings;
    if (this.#steps > maximumSteps) throw new TemplateLimitError(`more than ${maximumSteps} steps`);
    if (performance.now() > this.#deadlineMs) {
      throw new TemplateLimitError(`more than ${maximumRunTimeMs} ms of run time`);
    }
  }

  /** For work on `characters` of text that makes no new text. @throws {TemplateLimitError} */
  readText(characters: number): void {
    this.spend(Math.ceil(characters / charactersPerStep));
  }

  /** Before a text of this length is made, of which `added` characters are new. @throws {TemplateLimitError} */
  makeText(characters: number, added: number = characters): void {
    if (characters > maximumTextCharacters) {
      throw new TemplateLimitError(`a text of more than ${maximumTextCharacters} characters`);
    }
    this.#totalCharacters += added;
    if (this.#totalCharacters > maximumTotalCharacters) {
      throw new TemplateLimitError(`texts of more than ${maximumTotalCharacters} characters together`);
    }
    this.spend(Math.ceil(added / charactersPerStep / 16));
  }

  /** Before a list of this length is made. @throws {TemplateLimitError} */
  makeList(items: number): void {
    if (items > maximumListItems) {
      throw new TemplateLimitError(`a list of more than ${maximumListItems} items`);
    }
    this.spend(Math.ceil(items / 4));
  }

  /** Runs the body of a macro. @throws {TemplateLimitError} */
  call<T>(body: () => T): T {
    if (this.#callDepth >= maximumCallDepth) {
      throw new TemplateLimitError(`more than ${maximumCallDepth} macro calls inside each other`);
    }
    this.#callDepth += 1;
    try {
      return body();
    } finally {
      this.#callDepth -= 1;
    }
  }
}
