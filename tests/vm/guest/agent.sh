# The agent itself: it sees both drivers' cameras, and serves the USB camera's own H.264 without libav.
modprobe vivid node_types=0x1
plug_in
camera-agent probe --json >/tmp/probe.json
for wanted in '"driver": *"vivid"' '"card": *"UVC test camera' '"H264"'; do
  check "camera-agent probe --json shows $wanted" grep -q "$wanted" /tmp/probe.json
done
cat >/tmp/agent.json <<JSON
{ "cameras": { "usb": { "source": { "kind": "v4l2", "path": "$uvc", "pixelFormat": "H264", "width": 640, "height": 480 } } } }
JSON
camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
agent=$!
has_status() { wget -q -O /tmp/status.json http://127.0.0.1:8080/api/status 2>/dev/null && grep -q "$1" /tmp/status.json; }
status_shows() {
  wait_until has_status "$1" && return
  sed 's/^/# /' /tmp/agent.log /tmp/status.json
  return 1
}
check "camera-agent passes the USB camera's H.264 through" status_shows '"encoder":"passthrough","isProducing":true'
check "camera-agent does so without libav" sh -c "! grep -q libav /proc/$agent/maps"
unplug
check "camera-agent notices that the USB camera is unplugged" status_shows '"isProducing":false,"error":"[^"]*unplugged'
plug_in
check "camera-agent goes on when it is plugged in again" status_shows '"isProducing":true'
kill $agent
check "camera-agent stops when it is asked to" wait $agent
unplug
remove_usb
modprobe -r vivid
