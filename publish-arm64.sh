#!/usr/bin/env bash
# Publishes the agent as one trimmed native executable.
#   ./publish-arm64.sh [--rid linux-arm64|linux-x64] [--output DIR]
# Exit status: 0 published, 2 wrong arguments or missing tools, 3 a runtime pack is not served by the package source, 1 anything else.
set -euo pipefail
cd "$(dirname "$0")"

rid=linux-arm64
output=
while [ $# -gt 0 ]; do
  case $1 in
    --rid) rid=${2:?--rid needs a value}; shift 2 ;;
    --output) output=${2:?--output needs a value}; shift 2 ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) echo "publish-arm64.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
done
output=$(realpath -m "${output:-artifacts/$rid}")

case $rid in
  linux-arm64) architecture=aarch64 ;;
  linux-x64) architecture=x86_64 ;;
  *) echo "publish-arm64.sh: --rid $rid is not supported; use linux-arm64 or linux-x64" >&2; exit 2 ;;
esac

linker_arguments=()
if [ "$architecture" != "$(uname -m)" ]; then
  # clang links for any target; the cross packages bring that target's C library and binutils.
  linker_arguments=(-p:CppCompilerAndLinker=clang "-p:ObjCopyName=$architecture-linux-gnu-objcopy")
  required="clang $architecture-linux-gnu-objcopy"
else
  required=gcc
  linker_arguments=(-p:CppCompilerAndLinker=gcc)
fi
for tool in $required; do
  command -v "$tool" >/dev/null || {
    echo "publish-arm64.sh: '$tool' is missing. For $rid install: apt-get install clang gcc-aarch64-linux-gnu libc6-dev-arm64-cross" >&2
    exit 2
  }
done

deploy/build-page.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Publishing camera-agent for $rid ..."
if ! dotnet publish src/Agent/Agent.csproj -c Release -r "$rid" -o "$output" --nologo "${linker_arguments[@]}" >"$log" 2>&1; then
  # NU1101: no such package; NU1102: no such version; NU1103: only prereleases.
  if missing=$(grep -oE 'error NU110[123]: Unable to find (package|a stable package) [A-Za-z0-9.-]+( with version \([^)]*\))?' "$log" | sed 's/^.*find \(a stable \)\{0,1\}package //; s/\.$//' | sort -u) && [ -n "$missing" ]; then
    echo "publish-arm64.sh: the package source does not serve what $rid needs:" >&2
    echo "$missing" | sed 's/^/  /' >&2
    exit 3
  fi
  cat "$log" >&2
  exit 1
fi
if grep -E 'warning (IL|CA|CS|NU)[0-9]+' "$log" | sort -u >&2 && grep -qE 'warning IL[0-9]+' "$log"; then
  echo "publish-arm64.sh: trimming or AOT warnings above; the executable may not work" >&2
  exit 1
fi

# Symbols are kept beside the executable's folder, so that the folder holds just what is deployed.
mkdir -p "$output.symbols"
find "$output" -maxdepth 1 \( -name '*.dbg' -o -name '*.pdb' \) -exec mv -t "$output.symbols" {} +
find "$output" -maxdepth 1 \( -name '*.xml' -o -name '*.staticwebassets.endpoints.json' \) -delete
size=$(stat -c %s "$output/camera-agent")
awk -v path="$output/camera-agent" -v size="$size" 'BEGIN { printf "%s: %d bytes (%.1f MB)\n", path, size, size / 1e6 }'
