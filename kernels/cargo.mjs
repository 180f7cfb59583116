// `build` makes the native engine for this machine, `check` tests it: where there is a Rust toolchain, else says so.
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

const libraryNames = {
  linux: 'librivulet_kernels.so',
  darwin: 'librivulet_kernels.dylib',
  win32: 'rivulet_kernels.dll',
};

function cargo(...options) {
  const { status } = spawnSync('cargo', options, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function build() {
  const { platformTriple } = await import('../dist/src/session/load-native.js');
  const target = join(folder, 'target');
  cargo('build', '--release', '--features', 'addon', '--quiet', '--target-dir', target);
  const destination = join(folder, `rivulet.${platformTriple()}.node`);
  // A new file, as another process may have the old one in memory.
  rmSync(destination, { force: true });
  copyFileSync(join(target, 'release', libraryNames[process.platform] ?? libraryNames.linux), destination);
}

function check() {
  cargo('fmt', '--check');
  cargo('clippy', '--all-targets', '--features', 'addon', '--quiet', '--', '--deny', 'warnings');
  cargo('test', '--quiet');
}

if (spawnSync('cargo', ['--version']).status !== 0) {
  process.stdout.write(
    'No cargo here: rivulet runs its portable engine, and the tests of the native one are skipped.\n',
  );
} else if (process.argv[2] === 'check') {
  check();
} else {
  await build();
}
