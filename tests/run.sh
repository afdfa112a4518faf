#!/usr/bin/env bash
# Runs every test of the project and installs what they need. Needs only the .NET SDK, Node.js, gcc and git.
#   tests/run.sh [--only unit|debian13|native|arm64|browser|vm]...
# The last line is "N passed, N failed" over all suites; exit status 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD

wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --only) wanted+=("${2:?--only needs a suite}"); shift 2 ;;
    *) echo "run.sh: unknown argument '$1'" >&2; exit 2 ;;
  esac
done
[ ${#wanted[@]} -gt 0 ] || wanted=(unit debian13 native arm64 browser vm)
wants() { local suite; for suite in "${wanted[@]}"; do [ "$suite" = "$1" ] && return 0; done; return 1; }

results=$root/artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
passed=0
failed=0
started=$SECONDS
say() { printf '\n[%d:%02d] %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }
count() { # suite, passed, failed
  passed=$((passed + $2))
  failed=$((failed + $3))
  echo "$1: $2 passed, $3 failed"
}
check() { # suite, command...: one test that is its command's exit status
  local suite=$1
  shift
  if "$@"; then count "$suite" 1 0; else count "$suite" 0 1; fi
}
count_summary() { # suite, log: the suite's own last "N passed, N failed"
  local ok bad
  read -r ok bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$2" | tail -n 1)
  if [ -n "${ok:-}" ] && [ $((ok + bad)) -gt 0 ]; then count "$1" "$ok" "$bad"; else count "$1" 0 1; fi
}
finish() {
  say "done"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit
}

say "Installing what the tests need"
packages=(libssl3 libssl-dev openssl 'libavcodec[0-9]+' 'libavformat[0-9]+' 'libswscale[0-9]+' libavcodec-dev libavformat-dev libswscale-dev
  libopenh264-dev libturbojpeg0 libturbojpeg0-dev libmosquitto1 libmosquitto-dev mosquitto mosquitto-clients coturn libsrtp2-dev iproute2 ffmpeg gcc libc6-dev linux-libc-dev curl
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
if wants arm64; then packages+=(clang qemu-user-static); fi
if wants browser; then
  packages+=(chromium firefox-esr nftables conntrack util-linux procps)
  # The peers of interop.test.mjs that npm does not have.
  packages+=(python3-aiortc python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-{nice,plugins-bad,plugins-good,libav})
fi
# Services that apt would start take ports the tests do not use; on a build machine none is started.
deploy/install-packages.sh "${packages[@]}" || { count "set-up" 0 1; finish; }
deploy/build-page.sh || { count "set-up" 0 1; finish; }

if wants unit; then
  say "Building"
  if dotnet build Agent.sln -c Release --nologo -v quiet; then
    say "Unit and integration tests"
    dotnet test Agent.sln -c Release --no-build --nologo -v quiet --results-directory "$results" --logger "trx;LogFilePrefix=unit" --logger "console;verbosity=minimal"
    tests/count-results.sh $? "$(find tests -name '*.Tests.csproj' | wc -l)" "$results"/unit*.trx | tee "$results/unit.log"
    count_summary "unit" "$results/unit.log"

    say "Mutated input for every parser"
    dotnet run --project tests/Agent.Fuzz -c Release --no-build -- all 5000 2>&1 | tee "$results/fuzz.log"
    count_summary "fuzz" "$results/fuzz.log"
  else
    count "build" 0 1
  fi
fi

if wants debian13; then
  say "Encoders, decoders and file sources with the libraries of Debian 13"
  tests/debian13/run.sh 2>&1 | tee "$results/debian13.log"
  count_summary "debian13" "$results/debian13.log"
fi

# Downloads and a compiler's work beside the compiler of the native executables; nothing that looks at the time runs meanwhile.
preparing=
if wants vm; then
  tests/vm/run.sh --prepare >"$results/vm-prepare.log" 2>&1 &
  preparing=$!
fi

native=$root/artifacts/linux-x64
if wants native || wants browser || wants vm; then
  say "Publishing the native executable for linux-x64"
  check "native-AOT linux-x64" ./publish-arm64.sh --rid linux-x64 --output "$native"
fi

if wants arm64; then
  say "Publishing the native executable for linux-arm64"
  check "native-AOT linux-arm64" ./publish-arm64.sh --rid linux-arm64
fi

if [ -n "$preparing" ]; then
  say "Waiting for the test machines' kernels"
  # A failure is named by the run itself, which tries again.
  wait "$preparing" || true
fi

if wants native; then
  say "Command line of the native executable"
  check "native --version" "$native/camera-agent" --version
  check "demo.sh" tests/demo-test.sh
fi

if wants arm64; then
  say "The arm64 executable under emulation, watched by a browser"
  tests/arm64/run.sh 2>&1 | tee "$results/arm64.log"
  count_summary "arm64" "$results/arm64.log"
fi

if wants browser; then
  say "Browsers and brokers against the native executable"
  if (cd tests/Agent.EndToEnd && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --loglevel=error; }); then
    (cd tests/Agent.EndToEnd && CAMERA_AGENT=$native/camera-agent npm test --silent 2>&1) | tee "$results/browser.tap" | grep -E '^ *(not )?ok |^ *#|error:|expected|actual|at .*test.mjs' || true
    ok=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$results/browser.tap" | tail -n 1)
    all=$(sed -n 's/^# tests \([0-9]*\)$/\1/p' "$results/browser.tap" | tail -n 1)
    if [ -n "$ok" ] && [ -n "$all" ] && [ "$all" -gt 0 ]; then count "browser" "$ok" $((all - ok)); else count "browser" 0 1; fi
  else
    count "browser set-up" 0 1
  fi
fi

if wants vm; then
  say "V4L2 against real kernel drivers under QEMU"
  CAMERA_AGENT=$native/camera-agent tests/vm/run.sh 2>&1 | tee "$results/vm.log"
  count_summary "vm" "$results/vm.log"
fi

finish
