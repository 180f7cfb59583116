import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import type { createTextSide } from './text-side.ts';

/** The modules of the text side, loaded in this call: about 6 MB that a program which only streams does without. */
export function requireTextSide(): typeof createTextSide {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Tools that collect a program's files follow such addresses, as they do for the engine thread's.
  const path = fileURLToPath(new URL(`./text-side.${ending}`, import.meta.url));
  const module: { readonly createTextSide: typeof createTextSide } = createRequire(import.meta.url)(path);
  return module.createTextSide;
}
