type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The entries that have a value: with `exactOptionalPropertyTypes` a missing key is not an undefined one. */
export function defined<T extends object>(values: T): Defined<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
