#!/usr/bin/env bash
# Runs the published arm64 executable under qemu-user against a real browser and broker, and ends with one line: N passed, N failed.
# Needs what ./publish-arm64.sh leaves, and Node.js; installs the rest.
#   tests/arm64/run.sh [EXECUTABLE]     EXECUTABLE defaults to artifacts/linux-arm64/camera-agent
set -uo pipefail
cd "$(dirname "$0")"
export CAMERA_AGENT ARM64_ROOT
CAMERA_AGENT=$(realpath -m "${1:-../../artifacts/linux-arm64/camera-agent}")
ARM64_ROOT=$(realpath -m ../../artifacts/arm64-root)

# From the start of the agent to the end of the tests takes about half a minute; a run that hangs is stopped with all it started.
timeout_seconds=170

fail() { echo "run.sh: $1" >&2; echo "0 passed, 1 failed"; exit 1; }
[ -x "$CAMERA_AGENT" ] || fail "$CAMERA_AGENT is missing; ./publish-arm64.sh makes it"
../../deploy/install-packages.sh qemu-user-static chromium mosquitto libmosquitto1 libturbojpeg0 'libssl3(t64)?' \
  'libavcodec[0-9]+' 'libavformat[0-9]+' 'libavutil[0-9]+' 'libswscale[0-9]+' || fail "packages could not be installed"
./make-root.sh "$ARM64_ROOT" || fail "the libraries for arm64 could not be fetched"
[ -d ../Agent.EndToEnd/node_modules ] || npm ci --prefix ../Agent.EndToEnd --ignore-scripts --loglevel=error || fail "npm could not install the browser driver"

passed=0
failed=0
if qemu-aarch64-static -L "$ARM64_ROOT" "$CAMERA_AGENT" --version; then passed=1; else failed=1; fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
timeout "$timeout_seconds" node --test --test-reporter=tap stream.test.mjs 2>&1 | tee "$log" | grep -E '^ *(not )?ok |error:|expected|actual|at .*test.mjs' || true
ok=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log" | tail -n 1)
all=$(sed -n 's/^# tests \([0-9]*\)$/\1/p' "$log" | tail -n 1)
if [ "${ok:-0}" = 0 ]; then
  cat "$log" >&2
  failed=$((failed + ${all:-1}))
else
  passed=$((passed + ok))
  failed=$((failed + all - ok))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
