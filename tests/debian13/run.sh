#!/usr/bin/env bash
# Runs the tests of encoders, decoders and file sources against the libraries of Debian 13 (libavcodec 61, libopenh264 8), whatever Debian
# this is: the same xunit tests, in a root of Debian 13's own packages and with its headers. ffmpeg and ffprobe stay the host's. Needs no
# root privileges once bubblewrap is installed. Ends with one line: N passed, N failed.
#   tests/debian13/run.sh [DIR]     DIR holds the packages and defaults to artifacts/debian13-root; remove it to fetch newer ones
set -uo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
root=$(realpath -m "${1:-artifacts/debian13-root}")

# The tests take about half a minute; a run that hangs is stopped with all it started.
timeout_seconds=300
# What the tests must find in their process (LoadedLibrariesTests).
libraries="libavcodec.so.61 libopenh264.so.8"
filter='FullyQualifiedName~.Encoders.&FullyQualifiedName!~H264StreamCheckTests|FullyQualifiedName~FileVideoSourceTests|FullyQualifiedName~LazyLoadingTests|FullyQualifiedName~.LibAv.|FullyQualifiedName~.OpenH264.|FullyQualifiedName~.TurboJpeg.'
projects=(Agent.Devices.Tests Agent.Interop.Tests)

fail() { echo "run.sh: $1" >&2; echo "0 passed, 1 failed"; exit 1; }
deploy/install-packages.sh bubblewrap ffmpeg || fail "packages could not be installed"
bwrap --unshare-all --ro-bind / / true || fail "bubblewrap may not make namespaces here: run it as root, or where they are permitted"
# What .NET needs, a shell for the oracles, a compiler and headers for the layout tests; the headers bring the libraries.
tests/debian-root.sh "$(dpkg --print-architecture)" trixie "$root" libstdc++6 dash coreutils gcc libc6-dev \
  libavcodec-dev libavformat-dev libswscale-dev libopenh264-dev libturbojpeg0-dev || fail "the packages of Debian 13 could not be fetched"
assemblies=()
for project in "${projects[@]}"; do
  dotnet build "tests/$project" -c Release --nologo -v quiet || fail "$project does not build"
  assemblies+=("$repository/tests/$project/bin/Release/net10.0/$project.dll")
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp" "$work/tools"
for tool in ffmpeg ffprobe; do
  printf '#!/bin/sh\nexec chroot /host %s "$@"\n' "$tool" >"$work/tools/$tool"
  chmod +x "$work/tools/$tool"
done
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
links=()
for directory in bin lib lib64; do
  [ ! -d "$root/usr/$directory" ] || links+=(--symlink "usr/$directory" "/$directory")
done

# Nothing of the host is in the libraries' paths: what is not Debian 13's cannot be loaded.
timeout "$timeout_seconds" bwrap --unshare-all --die-with-parent --cap-add CAP_SYS_CHROOT \
  --ro-bind "$root/usr" /usr "${links[@]}" --proc /proc --dev /dev --bind "$work/tmp" /tmp \
  --ro-bind / /host --bind "$work/tmp" /host/tmp --ro-bind "$work/tools" /tools \
  --ro-bind "$dotnet" /dotnet --ro-bind "$repository" "$repository" --chdir "$repository" \
  --clearenv --setenv PATH /dotnet:/tools:/usr/bin:/usr/sbin --setenv HOME /tmp --setenv EXPECTED_LIBRARIES "$libraries" \
  --setenv DOTNET_SYSTEM_GLOBALIZATION_INVARIANT 1 --setenv DOTNET_NOLOGO 1 --setenv DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK 1 --setenv DOTNET_CLI_TELEMETRY_OPTOUT 1 \
  dotnet test "${assemblies[@]}" --filter "$filter" --results-directory /tmp/results --logger "trx;LogFilePrefix=debian13" --logger "console;verbosity=minimal"
tests/count-results.sh $? 1 "$work"/tmp/results/*.trx
