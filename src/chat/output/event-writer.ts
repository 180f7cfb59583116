import type { GenerateEvent, TokenLogprob } from '../../events.ts';

type Kind = 'text' | 'reasoning';

/** Makes events of what a parser found; collects them until they are taken. */
export class EventWriter {
  readonly #createId: (kind: Kind | 'tool') => string;
  #events: GenerateEvent[] = [];
  #open: { readonly kind: Kind; readonly id: string } | undefined;
  #call: { readonly id: string; readonly toolName: string; input: string } | undefined;
  /** Input of the open call that is not an event yet. */
  #input = '';
  /** White space that belongs to a block only if more of it follows. */
  #space = '';
  /** White space at the beginning of the next block belongs to the marker before it. */
  #trims = false;
  #waiting: TokenLogprob[] = [];
  /** Complete calls so far. */
  calls = 0;
  /** Whether a marker may still come; if not, white space does not wait. */
  holdsSpace = true;

  constructor(createId: (kind: Kind | 'tool') => string) {
    this.#createId = createId;
  }

  /** Tokens whose text comes out with the next delta. */
  addTokens(tokens: readonly TokenLogprob[]): void {
    this.#waiting.push(...tokens);
  }

  /** Text or thoughts; white space at their end waits for what follows. */
  write(kind: Kind, text: string): void {
    if (this.#open !== undefined && this.#open.kind !== kind) this.closeBlock();
    const whole = this.#space + text;
    const trimmed = this.#open === undefined && this.#trims ? whole.trimStart() : whole;
    const delta = this.holdsSpace ? trimmed.trimEnd() : trimmed;
    this.#space = trimmed.slice(delta.length);
    if (delta !== '') this.#emit(kind, delta);
  }

  /** Whether a block has begun; white space alone begins none. */
  get isInBlock(): boolean {
    return this.#open !== undefined;
  }

  /** Ends the open block before a marker; white space around the marker is dropped. */
  closeBlock(): void {
    if (this.#open !== undefined) this.#events.push({ type: `${this.#open.kind}-end`, id: this.#open.id });
    this.#open = undefined;
    this.#space = '';
    this.#trims = true;
  }

  startCall(toolName: string): void {
    this.closeBlock();
    const id = this.#createId('tool');
    this.#call = { id, toolName, input: '' };
    this.#waiting = [];
    this.#events.push({ type: 'tool-input-start', id, toolName });
  }

  writeInput(text: string): void {
    this.#input += text;
  }

  /** Whether a call was begun and is neither finished nor given up. */
  get isInCall(): boolean {
    return this.#call !== undefined;
  }

  finishCall(): void {
    const call = this.#endCall();
    if (call === undefined) return;
    this.calls += 1;
    this.#events.push({ type: 'tool-call', id: call.id, toolName: call.toolName, input: call.input });
  }

  /** Ends the input of a call that was cut or is malformed. */
  giveUpCall(): void {
    this.#endCall();
  }

  /** Ends everything; white space at the end of the text belongs to it. */
  end(kind: Kind): void {
    this.giveUpCall();
    if (this.#open !== undefined || !this.#trims) {
      const space = this.#space;
      this.#space = '';
      if (space !== '') this.#emit(this.#open?.kind ?? kind, space);
    }
    this.closeBlock();
  }

  take(): GenerateEvent[] {
    this.#flushInput();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #emit(kind: Kind, delta: string): void {
    if (this.#open === undefined) {
      this.#open = { kind, id: this.#createId(kind) };
      this.#events.push({ type: `${kind}-start`, id: this.#open.id });
    }
    const last = this.#events.at(-1);
    const isDelta = last?.type === 'text-delta' || last?.type === 'reasoning-delta';
    if (this.#waiting.length === 0 && isDelta && last.tokens === undefined) {
      this.#events[this.#events.length - 1] = { ...last, delta: last.delta + delta };
      return;
    }
    const tokens = this.#waiting.length === 0 ? {} : { tokens: this.#waiting };
    this.#events.push({ type: `${kind}-delta`, id: this.#open.id, delta, ...tokens });
    this.#waiting = [];
  }

  #endCall(): { readonly id: string; readonly toolName: string; readonly input: string } | undefined {
    const call = this.#call;
    if (call === undefined) return undefined;
    this.#flushInput();
    this.#events.push({ type: 'tool-input-end', id: call.id });
    this.#call = undefined;
    this.#waiting = [];
    return call;
  }

  #flushInput(): void {
    if (this.#call === undefined || this.#input === '') return;
    this.#call.input += this.#input;
    this.#events.push({ type: 'tool-input-delta', id: this.#call.id, delta: this.#input });
    this.#input = '';
  }
}
