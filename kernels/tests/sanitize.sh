#!/usr/bin/env bash
# Runs the kernels' tests with AddressSanitizer: reads and writes outside of what was allocated, use after free.
# The compiler has it behind an unstable flag, which RUSTC_BOOTSTRAP opens in stable toolchains too.
#
#   kernels/tests/sanitize.sh [ARGUMENTS OF cargo test]
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
if ! ls "$(rustc --print target-libdir)"/librustc-*_rt.asan.* >/dev/null 2>&1; then
  echo "Expected the AddressSanitizer library of Rust's distribution beside the compiler, found none." >&2
  exit 1
fi
export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$PWD/target/sanitize
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
# Instrumented code is slow.
export RIVULET_BRIEF_TESTS=1
exec cargo test --target "$target" --lib --tests "$@"
