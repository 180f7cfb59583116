/** What a missing name or attribute evaluates to: prints as nothing, is false, fails when used otherwise. */
export class Undefined {
  /** Python's message for the failed look-up, told when the value is used. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A Python `float`; a plain number is an `int`. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A Python `tuple`; a plain array is a `list`. */
export class Tuple {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** What the filter `safe` returns (markupsafe's `Markup`): a text that escapes what is added to it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The object that `namespace()` makes: the only one whose attributes a template may set. */
export class Namespace {
  readonly attributes: Map<string, Value> = new Map();
}

/** The `loop` of a for statement and other objects with read-only attributes. */
export class Fields {
  readonly typeName: string;
  readonly read: (name: string) => Value | undefined;

  constructor(typeName: string, read: (name: string) => Value | undefined) {
    this.typeName = typeName;
    this.read = read;
  }
}

export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** A global function, a method or a macro. */
export class Callable {
  readonly name: string;
  readonly call: (given: Arguments) => Value;

  constructor(name: string, call: (given: Arguments) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** A Python `dict`, in insertion order. */
export type Dictionary = Map<Value, Value>;

/** Everything an expression can evaluate to. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Undefined
  | Float
  | Tuple
  | Markup
  | Namespace
  | Fields
  | Callable
  | Value[]
  | Dictionary;

/** Python's name of the type, for messages. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Float) return 'float';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Namespace) return 'Namespace';
  if (value instanceof Fields) return value.typeName;
  return value instanceof Markup ? 'Markup' : 'function';
}

/** Python's truth. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'object') {
    if (Array.isArray(value)) return value.length > 0;
    if (value instanceof Map) return value.size > 0;
    if (value instanceof Tuple) return value.items.length > 0;
    if (value instanceof Float) return value.value !== 0;
    if (value instanceof Markup) return value.text !== '';
    return true;
  }
  return Boolean(value);
}

/** The number that a value counts as in arithmetic (`True` is 1), or nothing. */
export function asNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Float ? value.value : undefined;
}

/** The items of a list or tuple, or nothing. */
export function asSequence(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

/** The value as everything but addition sees it. */
export function withoutMarkup(value: Value): Value {
  return value instanceof Markup ? value.text : value;
}
