#!/usr/bin/env bash
# Unpacks the arm64 libraries that the agent loads, and what they depend on, into a private root for `qemu-aarch64-static -L`.
#   tests/arm64/make-root.sh [DIR]     DIR defaults to artifacts/arm64-root; remove it to fetch newer packages
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$(realpath -m "${1:-artifacts/arm64-root}")
libraries=/usr/lib/aarch64-linux-gnu

# The packages of the host, so that both architectures are tested with the same releases; the names carry the ABI version.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p')
packages=()
for pattern in 'libssl3(t64)?' 'libavcodec[0-9]+' 'libavformat[0-9]+' 'libavutil[0-9]+' 'libswscale[0-9]+' libturbojpeg0 libmosquitto1; do
  package=$(grep -xE "$pattern" <<<"$installed" | sort -V | tail -n 1) || {
    echo "make-root.sh: the host has no package that matches $pattern; deploy/install-packages.sh installs it" >&2
    exit 2
  }
  packages+=("$package")
done
tests/debian-root.sh arm64 "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" "${packages[@]}"

# The loader itself, emulated, tells whether the closure is whole; once for each root that was made.
checked=$root/closure-is-whole
[ ! -e "$checked" ] || exit 0
for library in "$root$libraries"/{libssl,libcrypto,libavcodec,libavformat,libavutil,libswscale,libturbojpeg,libmosquitto}.so.*[0-9]; do
  [ ! -L "$library" ] || continue
  needed=$(qemu-aarch64-static -L "$root" "$root/lib/ld-linux-aarch64.so.1" --list "${library#"$root"}")
  if grep 'not found' <<<"$needed"; then
    echo "make-root.sh: ${library##*/} needs the above" >&2
    exit 1
  fi
done
touch "$checked"
