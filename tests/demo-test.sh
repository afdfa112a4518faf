#!/usr/bin/env bash
# Starts deploy/demo.sh as a user would, looks at the page and the status, and checks that Ctrl-C leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

port=18080
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A shell ignores SIGINT in background jobs and its children inherit that; a session of its own starts with the default.
python=$(command -v python3 || true)
if [ -n "$python" ]; then
  "$python" -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])' \
    deploy/demo.sh --port "$port" >"$log" 2>&1 &
else
  node -e 'const c = require("child_process").spawn("deploy/demo.sh", ["--port", process.argv[1]], { stdio: "inherit", detached: true }); process.on("SIGINT", () => c.kill("SIGINT")); process.on("SIGTERM", () => c.kill("SIGINT")); c.on("exit", (code) => process.exit(code ?? 1));' "$port" >"$log" 2>&1 &
fi
demo=$!
fail() { echo "demo-test: $*" >&2; cat "$log" >&2; kill -INT "$demo" 2>/dev/null || true; exit 1; }

for _ in $(seq 600); do
  grep -q 'Ctrl-C stops everything' "$log" && break
  kill -0 "$demo" 2>/dev/null || fail "the demo stopped before it was ready"
  sleep 0.5
done
grep -q "http://127.0.0.1:$port/" "$log" || fail "the demo did not print the page's address"
curl -sf "http://127.0.0.1:$port/" | grep -q '<video' || fail "the page has no video element"
curl -sf "http://127.0.0.1:$port/api/status" | grep -q '"main"' || fail "the status does not name the camera main"
mosquitto_sub -p 18883 -t 'camera-agent/demo/status' -C 1 -W 5 | grep -qx online || fail "the broker does not say that the agent is online"
kill -INT "$demo"
wait "$demo" || true
if curl -sf -o /dev/null "http://127.0.0.1:$port/healthz"; then fail "the agent still runs after Ctrl-C"; fi
if mosquitto_sub -p 18883 -t x -C 1 -W 1 2>/dev/null; then fail "mosquitto still runs after Ctrl-C"; fi
echo "demo-test: ok"
