#!/usr/bin/env bash
# Lints the kernels for ARM64 and runs their tests on two ARM64 processors: one that has all the instructions used,
# one without the 8-bit matrix products. On another processor they are emulated by qemu, with a compiler that
# knows the target or, where there is none, the one in Debian's packages, unpacked below target/.
#
#   kernels/tests/aarch64.sh [ARGUMENTS OF cargo test]
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
folder=$PWD/target/aarch64
runtime=/usr/aarch64-linux-gnu

if [[ $(uname -s)-$(uname -m) == Linux-aarch64 ]]; then
  exec cargo test --lib --tests "$@"
fi

as_root() {
  if [[ $EUID == 0 ]]; then "$@"; else sudo --non-interactive "$@"; fi
}

# apt-get with lists of its own for both architectures: the machine's settings stay as they are.
mkdir -p "$folder"/{lists,cache/archives}/partial "$folder/packages"
apt_options=(-o APT::Architectures=amd64,arm64 -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache"
  -o APT::Sandbox::User=root)
lists_are_fresh=
refresh_lists() {
  [[ -n $lists_are_fresh ]] || as_root apt-get "${apt_options[@]}" -qq update
  lists_are_fresh=yes
}
install_packages() {
  refresh_lists
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" -qq install --yes --no-install-recommends "$@"
}

# Debian's compiler conflicts with others as an installed package, hence unpacked; its libraries do not.
unpack_toolchain() {
  refresh_lists
  local libraries
  libraries=$(apt-cache "${apt_options[@]}" show --no-all-versions libstd-rust-web-dev:amd64 |
    sed -nE 's/^Depends: .*(libstd-rust-web-[0-9.]+).*/\1/p')
  install_packages "$libraries"
  rm -rf "$folder/root" "$folder/packages"
  mkdir -p "$folder/packages"
  (cd "$folder/packages" && apt-get "${apt_options[@]}" -qq download rustc-web:amd64 rust-web-clippy:amd64 \
    libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64)
  for package in "$folder"/packages/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
  rm -rf "$folder/packages" "$folder/lists" "$folder/cache"
  for program in rustc clippy-driver; do
    printf '#!/bin/sh\nexec "%s" --sysroot "%s" "$@"\n' "$folder/root/usr/bin/$program" "$folder/root/usr" >"$folder/$program"
    chmod +x "$folder/$program"
  done
  # As a wrapper, the linter is given the compiler's name first.
  printf '#!/bin/sh\nexec "%s" "$@" --sysroot "%s"\n' "$folder/root/usr/bin/clippy-driver" "$folder/root/usr" >"$folder/clippy-driver"
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
RUSTFLAGS="-D warnings" CARGO_TARGET_DIR=$folder/lint "${lint[@]}" --quiet --target $target --all-targets
for processor in max cortex-a76; do
  echo "ARM64 processor: $processor"
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -cpu $processor -L $runtime"
  cargo test --target $target --lib --tests "$@"
done
