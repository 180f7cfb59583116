import { resolve } from 'node:path';

/** The folder of the reference data. @throws when the environment does not name it: a silent skip would hide it */
export function conformanceFolder(): string {
  const folder = process.env['RIVULET_CONFORMANCE'];
  if (folder === undefined) {
    throw new Error(
      'Set RIVULET_CONFORMANCE to the folder with the reference data (tiny-models/, quants/ …).',
    );
  }
  return resolve(folder);
}
