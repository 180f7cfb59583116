import type { ReasoningFormat } from './reasoning.ts';

/** How a model writes its answers: what stands around thoughts and text. */
export interface OutputFormat {
  readonly reasoning?: ReasoningFormat;
  /** What stands around text when the model marks it, too. */
  readonly answer?: { readonly open: string; readonly close: string };
  /** Texts between the parts of an answer that say nothing themselves. */
  readonly ignored?: readonly string[];
  /** The answer is divided into messages with heads; `reasoning` and `answer` then serve grammars only. */
  readonly channels?: ChannelFormat;
}

/** How a model writes calls of tools: data for the parser (`reading`) and for grammars and examples (`writing`). */
export interface ToolFormat {
  /** For people and tests, for example `hermes`. */
  readonly name: string;
  readonly writing: ToolWriting;
  readonly reading: ToolReading;
  /** Other forms in which such models write calls now and then. */
  readonly alsoReads?: readonly ToolReading[];
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
/** The name of the tool, where it is written once more. */
export const namePlaceholder = '{name}';
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
  /** Texts that begin calls, together or each; at one place the longest counts. */
  readonly opens: readonly string[];
  /** Texts that do so only where an answer begins: later they are often something else. */
  readonly firstOpens?: readonly string[];
  /** Texts that may stand behind calls and belong to no text. */
  readonly closes: readonly string[];
  /** Texts that begin calls and are part of them: at the beginning of an answer, and anywhere. */
  readonly bare?: { readonly first: readonly string[]; readonly anywhere: readonly string[] };
  /** The opening texts occur in other answers: an object without arguments is no call. */
  readonly needsArguments?: boolean;
  /** An opening text ends a block of reasoning that was not closed. */
  readonly endsReasoning?: boolean;
  readonly body: CallBody;
}

/** What stands behind the opening of a call. */
export type CallBody =
  /** An object or a list of objects that hold the name and the arguments under one of these keys. */
  | {
      readonly kind: 'object';
      readonly nameKeys: readonly string[];
      readonly argumentsKeys: readonly string[];
    }
  /** An object or a list of objects whose only key is the name. */
  | { readonly kind: 'entry' }
  /** The name, then the arguments as a JSON object. */
  | { readonly kind: 'named'; readonly header: CallHeader }
  /** The name, then each argument with its key. */
  | { readonly kind: 'tagged'; readonly header: CallHeader; readonly parameters: ParameterReading }
  /** A call in Python's syntax or a list of them. */
  | { readonly kind: 'python' }
  | { readonly kind: 'braces'; readonly quotes: readonly string[] }
  | { readonly kind: 'elements'; readonly mark: string };

/** The text from the opening up to the arguments. */
export interface CallHeader {
  /** One of these ends it. */
  readonly until: readonly string[];
  /** Whether what ends it belongs to the arguments. */
  readonly keepsEnd?: boolean;
  /** The first group is the name; the whole text must fit. */
  readonly pattern: RegExp;
}

/** `open key middle value close` for each argument, then `end`. */
export interface ParameterReading {
  readonly open: string;
  readonly middle: string;
  /** The first group is the key, the second, if there is one, `true` where the value is a string. */
  readonly pattern: RegExp;
  /** Stands between `middle` and the value; white space before it is passed over. */
  readonly valueOpen?: string;
  readonly close: string;
  readonly end: readonly string[];
  /** A line end at both sides of a value is not part of it. */
  readonly valueOnLines?: boolean;
}

/** Output divided into messages, each with a head that tells what it is. */
export interface ChannelFormat {
  /** Begins a message inside an answer; the prompt has written the first one. */
  readonly start: string;
  /** Ends the head. */
  readonly message: string;
  /** Each ends a message. */
  readonly ends: readonly string[];
  /** Each head begins with one of these; absent: with anything. */
  readonly begins?: readonly string[];
  /** What is no head is text without one. */
  readonly head: RegExp;
  /** A head that fits is a thought. */
  readonly reasoning: RegExp;
  /** A head that fits is a call whose name is the first group; the message holds its arguments as JSON. */
  readonly call?: RegExp;
}
