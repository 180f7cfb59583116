// In this repository the engine's native part is a build and no package: it goes where rivulet looks first.
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const from = join(import.meta.dirname, '../../kernels');
const files = existsSync(from) ? readdirSync(from).filter((name) => name.endsWith('.node')) : [];
for (const name of files) {
  cpSync(join(from, name), join(import.meta.dirname, 'node_modules/rivulet/kernels', name));
}
