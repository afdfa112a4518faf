#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing. A name may be a regular expression for packages whose name carries
# their ABI version (libavcodec59 in Debian 12, libavcodec61 in Debian 13): one installed match is enough, else the newest is taken.
set -euo pipefail

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p')
missing=()
for name in "$@"; do
  grep -qxE "$name" <<<"$installed" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  as_root=sudo
  command -v sudo >/dev/null || { echo "install-packages.sh: run as root, or install: ${missing[*]}" >&2; exit 2; }
fi
echo "Installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
$as_root apt-get update -qq >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
packages=()
for name in "${missing[@]}"; do
  package=$(apt-cache pkgnames | grep -xE "$name" | sort -V | tail -n 1)
  [ -n "$package" ] || { echo "install-packages.sh: this Debian has no package $name" >&2; exit 1; }
  packages+=("$package")
done
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
