#!/usr/bin/env bash
# Runs the agent on this machine with no hardware and no account, and prints the address of its page.
#   deploy/demo.sh [--camera test|/dev/videoN|FILE] [--port HTTP_PORT] [--no-broker]
# Installs what is missing (Debian packages), builds, starts mosquitto and the agent on loopback; Ctrl-C stops everything.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

camera=test
port=8080
broker=yes
while [ $# -gt 0 ]; do
  case $1 in
    --camera) camera=${2:?--camera needs test, a device node or a file}; shift 2 ;;
    --port) port=${2:?--port needs a number}; shift 2 ;;
    --no-broker) broker=no; shift ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
done
case $port in *[!0-9]* | '') echo "demo.sh: --port '$port' is not a number" >&2; exit 2 ;; esac
case $camera in
  test) source_json='{ "kind": "test" }' ;;
  /dev/*)
    [ -c "$camera" ] || { echo "demo.sh: $camera is not a device; 'camera-agent probe' lists the cameras" >&2; exit 2; }
    source_json="{ \"kind\": \"v4l2\", \"path\": \"$camera\" }" ;;
  *)
    [ -f "$camera" ] || { echo "demo.sh: --camera $camera: no such file" >&2; exit 2; }
    source_json="{ \"kind\": \"file\", \"path\": \"$(realpath "$camera")\" }" ;;
esac

"$here/install-packages.sh" libssl3 libturbojpeg0 'libavcodec[0-9]+' 'libavformat[0-9]+' 'libswscale[0-9]+' libmosquitto1 mosquitto curl
"$here/build-page.sh"

stamp=$root/artifacts/demo/.built
if [ ! -f "$stamp" ] || [ -n "$(find "$root/src" "$root"/Directory.*.props \( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -newer "$stamp" -print -quit)" ]; then
  echo "Building the agent ..."
  dotnet build "$root/src/Agent/Agent.csproj" -c Release -o "$root/artifacts/demo" --nologo -v quiet -clp:ErrorsOnly
  touch "$stamp"
fi

scratch=$(mktemp -d)
pids=()
stop() {
  trap - EXIT INT TERM
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 0' INT TERM

mqtt_json=
if [ "$broker" = yes ]; then
  mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
  "$mosquitto" -c "$here/mosquitto-demo.conf" >"$scratch/mosquitto.log" 2>&1 &
  pids+=($!)
  mqtt_port=$(sed -n 's/^listener \([0-9]*\) .*/\1/p' "$here/mosquitto-demo.conf" | sed -n 1p)
  web_socket_port=$(sed -n 's/^listener \([0-9]*\) .*/\1/p' "$here/mosquitto-demo.conf" | sed -n 2p)
  mqtt_json="\"mqtt\": { \"host\": \"127.0.0.1\", \"port\": $mqtt_port, \"device\": \"demo\", \"webSocketUrl\": \"ws://127.0.0.1:$web_socket_port\" },"
fi
cat >"$scratch/demo.json" <<EOF
{
  $mqtt_json
  "http": { "listen": "127.0.0.1:$port" },
  "cameras": { "main": { "source": $source_json } }
}
EOF

dotnet "$root/artifacts/demo/camera-agent.dll" run --config "$scratch/demo.json" &
agent=$!
pids+=("$agent")
until curl -sf -o "$scratch/health" "http://127.0.0.1:$port/healthz"; do
  kill -0 "$agent" 2>/dev/null || { echo "demo.sh: the agent stopped; its messages are above" >&2; wait "$agent" && exit 1 || exit $?; }
  if [ "$broker" = yes ] && ! kill -0 "${pids[0]}" 2>/dev/null; then
    cat "$scratch/mosquitto.log" >&2
    echo "demo.sh: mosquitto stopped; is port $mqtt_port or $web_socket_port taken? --no-broker runs without it" >&2
    exit 1
  fi
  sleep 0.2
done

echo
echo "  Watch the camera:          http://127.0.0.1:$port/"
[ "$broker" = no ] || echo "  The same, through MQTT:    http://127.0.0.1:$port/?signal=mqtt"
echo "  Status, metrics:           http://127.0.0.1:$port/api/status  http://127.0.0.1:$port/metrics"
echo "  Ctrl-C stops everything."
wait "$agent"
