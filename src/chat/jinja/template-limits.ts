/** The longest template known has 17 000 characters; parsing stays in the milliseconds up to here. */
export const maximumSourceCharacters: number = 2 ** 19;

/** Brackets and statements inside each other; keeps the parser's recursion far from the end of the stack. */
export const maximumNestingDepth = 200;

/** Evaluated expressions, statements and items of one rendering; long conversations need some 100 000. */
export const maximumSteps = 5_000_000;

/** Characters of any text made on the way, the prompt included; a million tokens of context fit. */
export const maximumTextCharacters: number = 2 ** 23;

/** Characters of all texts made on the way: `{% set x = x ~ x %}` must not fill the memory. */
export const maximumTotalCharacters: number = 2 ** 29;

/** Items of any list made on the way. */
export const maximumListItems = 1_000_000;

/** Macros calling each other; Python's own limit is 1000, templates use it for nested JSON schemas. */
export const maximumCallDepth = 100;

/** Lists and dictionaries inside each other when they are written out or compared. */
export const maximumValueDepth = 200;

/** Milliseconds that one rendering may take; templates need a few. */
export const maximumRunTimeMs = 2000;
