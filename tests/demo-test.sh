#!/usr/bin/env bash
# Starts deploy/demo.sh as a user would, looks at the page and the status, and checks that Ctrl-C leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

port=18080
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Job control gives the demo a process group of its own, so that it can be interrupted as a terminal's Ctrl-C does.
set -m
deploy/demo.sh --port "$port" >"$log" 2>&1 &
demo=$!
fail() { echo "demo-test: $*" >&2; cat "$log" >&2; kill -INT -- "-$demo" 2>/dev/null || true; exit 1; }

for _ in $(seq 600); do
  grep -q 'Ctrl-C stops everything' "$log" && break
  kill -0 "$demo" 2>/dev/null || fail "the demo stopped before it was ready"
  sleep 0.5
done
grep -q "http://127.0.0.1:$port/" "$log" || fail "the demo did not print the page's address"
curl -sf "http://127.0.0.1:$port/" | grep -q '<video' || fail "the page has no video element"
curl -sf "http://127.0.0.1:$port/api/status" | grep -q '"main"' || fail "the status does not name the camera main"
mosquitto_sub -p 18883 -t 'camera-agent/demo/status' -C 1 -W 5 | grep -qx online || fail "the broker does not say that the agent is online"
kill -INT -- "-$demo"
wait "$demo" || true
if curl -sf -o /dev/null "http://127.0.0.1:$port/healthz"; then fail "the agent still runs after Ctrl-C"; fi
if mosquitto_sub -p 18883 -t x -C 1 -W 1 2>/dev/null; then fail "mosquitto still runs after Ctrl-C"; fi
echo "demo-test: ok"
