#!/usr/bin/env bash
# Unpacks the arm64 libraries that the agent loads, and what they depend on, into a private root for `qemu-aarch64-static -L`.
# apt's state, cache and package database are private too: the host's own packages and foreign architectures stay as they are.
#   tests/arm64/make-root.sh [DIR]     DIR defaults to artifacts/arm64-root; remove it to fetch newer packages
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$(realpath -m "${1:-artifacts/arm64-root}")
apt=$root.apt
libraries=/usr/lib/aarch64-linux-gnu

# The packages of the host, so that both architectures are tested with the same releases; the names carry the ABI version.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p')
packages=()
for pattern in 'libssl3(t64)?' 'libavcodec[0-9]+' 'libavformat[0-9]+' 'libavutil[0-9]+' 'libswscale[0-9]+' libmosquitto1; do
  package=$(grep -xE "$pattern" <<<"$installed" | sort -V | tail -n 1) || {
    echo "make-root.sh: the host has no package that matches $pattern; deploy/install-packages.sh installs it" >&2
    exit 2
  }
  packages+=("$package")
done

# Written last: a root without it is incomplete.
stamp=$root/packages
if [ "$(cat "$stamp" 2>/dev/null)" = "${packages[*]}" ]; then exit 0; fi

rm -rf "$root" "$apt"
trap 'rm -rf "$apt"' EXIT
mkdir -p "$root" "$apt/state/lists/partial" "$apt/archives/partial"
: >"$apt/status"
# Only the sources and how they are reached come from the host; hooks of its own would act on its own cache.
cat >"$apt/apt.conf" <<CONF
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Log "$apt";
CONF

echo "Fetching ${packages[*]} for arm64 ..."
quietly() { "$@" >"$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }; }
quietly apt-get -c "$apt/apt.conf" update -q
quietly apt-get -c "$apt/apt.conf" install -q -y --no-install-recommends --download-only "${packages[@]}"
for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
# From Debian 13 on /lib is a link of base-files, on which no library depends.
[ -e "$root/lib" ] || ln -s usr/lib "$root/lib"
# Fonts, documents and translations; a library reads none of them to be loaded.
rm -rf "$root/usr/share" "$root/etc"

# The loader itself, emulated, tells whether the closure is whole.
for library in "$root$libraries"/{libssl,libcrypto,libavcodec,libavformat,libavutil,libswscale,libmosquitto}.so.*[0-9]; do
  [ ! -L "$library" ] || continue
  qemu-aarch64-static -L "$root" "$root/lib/ld-linux-aarch64.so.1" --list "${library#"$root"}" >"$apt/needed"
  if grep 'not found' "$apt/needed"; then
    echo "make-root.sh: ${library##*/} needs the above" >&2
    exit 1
  fi
done
echo "${packages[*]}" >"$stamp"
echo "$root: $(du -sh "$root" | cut -f 1)"
