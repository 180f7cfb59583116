/** JSON Schema, as the caller wrote it. */
export type JSONSchema = { readonly [key: string]: unknown } | boolean;

/** One piece of a message. Only text is understood so far; other kinds are refused with a typed error. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: Uint8Array | URL; readonly mediaType?: string }
  | { readonly type: 'audio'; readonly data: Uint8Array | URL; readonly mediaType?: string };

/** A call that the model made in an earlier turn. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  readonly content: string | readonly ContentPart[];
  /** What the model thought before it answered, without markers. */
  readonly reasoning?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** For the role `tool`: the call that this message answers. */
  readonly toolCallId?: string;
  readonly toolName?: string;
}

/** A function that the model may call. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly parameters: JSONSchema;
  readonly strict?: boolean;
}
