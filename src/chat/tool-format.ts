import type { ReasoningFormat } from './reasoning.ts';

/** How a model writes its answers: what stands around thoughts, text and calls. */
export interface OutputFormat {
  readonly reasoning?: ReasoningFormat;
  /** What stands around text when the model marks it, too. */
  readonly answer?: { readonly open: string; readonly close: string };
  /** Absent when the template knows no tools: then the generic form is used, see tool-formats.ts. */
  readonly tools?: ToolFormat;
}

/** How a model writes calls of tools: data for the parser (`reading`) and for grammars and examples (`writing`). */
export interface ToolFormat {
  /** For people and tests, for example `hermes`. */
  readonly name: string;
  readonly writing: ToolWriting;
  readonly reading: ToolReading;
  /** Ids of calls that the template accepts in earlier turns. @default 'any' */
  readonly ids?: 'any' | 'nine-alphanumeric' | 'function-index';
}

/**
 * The form the model was trained on, white space included. Calls are written as
 * `sectionOpen call (separator call)* sectionClose` and a call as
 * `beforeName name afterName arguments afterArguments`. In these texts {@link indexPlaceholder} stands for the
 * number of the call in its answer (from 0) and {@link idPlaceholder} for an id that the model makes up.
 */
export interface ToolWriting {
  readonly sectionOpen: string;
  readonly beforeName: string;
  readonly afterName: string;
  readonly arguments: ArgumentsWriting;
  readonly afterArguments: string;
  readonly separator: string;
  readonly sectionClose: string;
  /** Whether several calls may stand in one answer. */
  readonly parallel: boolean;
  /**
   * Texts that no answer contains unless a call begins there; the call's own beginning, without white space at its
   * end. Empty: calls have no marker, and an answer that begins like a call is one.
   */
  readonly triggers: readonly string[];
}

/** Digits. */
export const indexPlaceholder = '{index}';
/** Nine letters or digits. */
export const idPlaceholder = '{id}';

/** How the arguments of a call are written. */
export type ArgumentsWriting =
  /** A JSON object. */
  | { readonly kind: 'json' }
  /**
   * `beforeKey key afterKey value afterValue` for each argument: strings as they are, other values as JSON.
   * `afterStringKey` stands instead of `afterKey` before strings.
   */
  | {
      readonly kind: 'tagged';
      readonly beforeKey: string;
      readonly afterKey: string;
      readonly afterStringKey?: string;
      readonly afterValue: string;
      readonly separator: string;
    }
  /** Keyword arguments in Python's syntax: `key=value, …`, without the parentheses. */
  | { readonly kind: 'python' }
  /** `{key:value,…}` without quotes around keys, strings between `quote`s and without escapes. */
  | { readonly kind: 'braces'; readonly quote: string }
  /** An element for each argument, `mark<key>value mark</key>`; lists hold `item` elements. */
  | { readonly kind: 'elements'; readonly mark: string };

/** What the parser looks for; it passes over white space between all parts. */
export interface ToolReading {
  /** Texts that begin calls; the longest that fits counts. */
  readonly opens: readonly string[];
  /** Texts that may stand behind a call or behind the last one, and belong to no text. */
  readonly closes: readonly string[];
  /** Calls may begin with this character where an answer begins. */
  readonly bare?: readonly ('{' | '[')[];
  readonly body: CallBody;
}

export type CallBody =
  /** An object or a list of objects that hold the name and the arguments under one of these keys. */
  | {
      readonly kind: 'object';
      readonly nameKeys: readonly string[];
      readonly argumentsKeys: readonly string[];
    }
  /** An object or a list of objects whose only key is the name. */
  | { readonly kind: 'entry' }
  /** The name between texts, then the arguments as a JSON object. */
  | { readonly kind: 'named'; readonly name: NameReading }
  /** The name between texts, then tagged arguments. */
  | {
      readonly kind: 'tagged';
      readonly name: NameReading;
      readonly beforeKey: string;
      readonly afterKey: string;
      /** Stands between key and value; may carry whether the value is a string. */
      readonly afterKeyClose?: string;
      readonly afterValue: string;
      /** Ends the arguments. */
      readonly end: string;
    }
  | { readonly kind: 'python' }
  | { readonly kind: 'braces'; readonly quotes: readonly string[] }
  | { readonly kind: 'elements'; readonly mark: string };

export interface NameReading {
  /** Before the name, after the opening; optional texts that are passed over. */
  readonly before: readonly string[];
  /** One of these ends the name. */
  readonly after: readonly string[];
}
