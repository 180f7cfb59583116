#!/usr/bin/env bash
# Lints the kernels for ARM64 and runs their tests on two emulated ARM64 processors, with and without the 8-bit matrix
# products. Compiles with the installed Rust if it has the target (`rustup target add aarch64-unknown-linux-gnu`),
# else with the one in Debian's packages, unpacked below target/. On Debian it installs what else is missing.
#
#   kernels/tests/aarch64.sh [ARGUMENTS OF cargo test]
#
# Ends with 3 where the emulation cannot be set up, after the reason.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
folder=$PWD/target/aarch64
runtime=/usr/aarch64-linux-gnu

case $(uname -s)-$(uname -m) in
Linux-aarch64 | Darwin-arm64) exec cargo test --lib --tests "$@" ;;
esac

cannot() {
  echo "ARM64 tests cannot be set up here: $1" >&2
  exit 3
}
as_root() {
  if [[ $EUID == 0 ]]; then "$@"; else sudo --non-interactive "$@"; fi
}

# apt-get with lists of its own for both architectures: the machine's settings stay as they are.
mkdir -p "$folder"/{lists,cache/archives}/partial "$folder/packages"
apt_options=(-o APT::Architectures=amd64,arm64 -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache"
  -o APT::Sandbox::User=root)
lists_are_fresh=
refresh_lists() {
  command -v apt-get >/dev/null || cannot "expected ${missing[*]:-a Rust for $target}, found neither that nor apt-get."
  [[ -n $lists_are_fresh ]] || as_root apt-get "${apt_options[@]}" -qq update ||
    cannot "expected apt-get to find its packages, it failed (see above)."
  lists_are_fresh=yes
}
install_packages() {
  refresh_lists
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" -qq install --yes --no-install-recommends "$@" ||
    cannot "expected apt-get to install $*, it failed (see above)."
}

# Debian's compiler conflicts with others as an installed package, hence unpacked; its libraries do not.
unpack_toolchain() {
  refresh_lists
  local libraries
  libraries=$(apt-cache "${apt_options[@]}" show --no-all-versions libstd-rust-web-dev:amd64 |
    sed -nE 's/^Depends: .*(libstd-rust-web-[0-9.]+).*/\1/p') || {
    cannot "expected a Rust that compiles for $target, found none. Try: rustup target add $target"
  }
  install_packages "$libraries"
  rm -rf "$folder/root" "$folder/packages"
  mkdir -p "$folder/packages"
  (cd "$folder/packages" && apt-get "${apt_options[@]}" -qq download rustc-web:amd64 rust-web-clippy:amd64 \
    libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64) ||
    cannot "expected apt-get to download a Rust for $target, it failed (see above). Try: rustup target add $target"
  for package in "$folder"/packages/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
  rm -rf "$folder/packages" "$folder/lists" "$folder/cache"
  local sysroot=$folder/root/usr
  for program in rustc clippy-driver; do
    # Options come last: as a wrapper, the linter is given the compiler's name first.
    printf '#!/bin/sh\nexec "%s" "$@" --sysroot "%s"\n' "$sysroot/bin/$program" "$sysroot" >"$folder/$program"
    chmod +x "$folder/$program"
  done
}

missing=()
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
command -v aarch64-linux-gnu-gcc >/dev/null || missing+=(gcc-aarch64-linux-gnu)
[[ -e $runtime/lib/libc.so ]] || missing+=(libc6-dev-arm64-cross)
[[ ${#missing[@]} == 0 ]] || install_packages "${missing[@]}"

lint=(cargo clippy)
if ! ls "$(rustc --print target-libdir --target $target)"/libstd-*.rlib >/dev/null 2>&1; then
  "$folder/rustc" -vV >/dev/null 2>&1 || unpack_toolchain
  export RUSTC=$folder/rustc
  lint=(env "RUSTC_WORKSPACE_WRAPPER=$folder/clippy-driver" cargo check)
fi

export CARGO_TARGET_DIR=$folder/build
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# The dependencies' own build and the tests' takes a quarter less time.
export CARGO_PROFILE_DEV_DEBUG=false

# What all processors compile is linted elsewhere, perhaps by another version.
findings=$(CARGO_TARGET_DIR=$folder/lint "${lint[@]}" --target $target --message-format short 2>&1) || {
  echo "$findings"
  exit 1
}
if grep -E '^src/arch/(lanes/)?neon' <<<"$findings"; then exit 1; fi

# run PROCESSOR INSTRUCTION_SET [ARGUMENTS]: tests on a processor whose best instruction set that is.
run() {
  echo "ARM64 processor $1: $2 (emulated, hence a tenth of the random cases, and orders of sums of this set only)"
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -cpu $1 -L $runtime" RIVULET_ISA=$2 RIVULET_BRIEF_TESTS=1 \
    cargo test --target $target "${@:3}"
}
run cortex-a76 neon --lib --tests "$@"
# Only products have code of their own for the 8-bit matrix products.
run max neon-i8mm --lib --test linear "$@"
