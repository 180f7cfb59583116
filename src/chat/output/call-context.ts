import type { JSONSchema } from '../messages.ts';
import type { EventWriter } from './event-writer.ts';
import type { TextReader } from './text-reader.ts';

/** A tool as the model knows it. */
export interface OfferedTool {
  /** The caller's name for it. */
  readonly name: string;
  readonly parameters: JSONSchema;
}

/** Longer names are no names. */
export const maximumHeaderLength = 512;

/** What the readers of one answer share. */
export class CallContext {
  readonly reader: TextReader;
  readonly writer: EventWriter;
  readonly #tools: ReadonlyMap<string, OfferedTool>;
  readonly #mostCalls: number;
  /** What looks like a call may be an answer in JSON. */
  needsArguments = false;
  /** Everything up to here has become events: what fails later is text from here on. */
  settled = 0;
  /** What comes next is a thought. */
  inReasoning = false;
  /** The output ended because there was no room for more, not because the model ended it. */
  isCut = false;

  constructor(
    reader: TextReader,
    writer: EventWriter,
    tools: ReadonlyMap<string, OfferedTool>,
    mostCalls: number = Number.POSITIVE_INFINITY,
  ) {
    this.reader = reader;
    this.writer = writer;
    this.#tools = tools;
    this.#mostCalls = mostCalls;
  }

  /** The schema of a tool's arguments. */
  parametersOf(name: string): JSONSchema {
    return this.#tools.get(name)?.parameters ?? true;
  }

  /** Begins a call. False when there is no tool of this name, or when there are calls enough. */
  start(name: string): boolean {
    const tool = this.writer.calls < this.#mostCalls ? this.#tools.get(name) : undefined;
    if (tool !== undefined) this.writer.startCall(tool.name);
    return tool !== undefined;
  }

  /** The arguments are complete. */
  complete(): void {
    this.writer.finishCall();
    this.settled = this.reader.at;
  }

  readonly writeInput = (json: string): void => {
    this.writer.writeInput(json);
  };
}
