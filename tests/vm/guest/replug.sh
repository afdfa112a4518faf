# Cameras that come back under other nodes, as the agent sees them: by serial number, else by the port; another is not taken for one.
camera_nodes() { grep -l '^UVC test camera' /sys/class/video4linux/*/name 2>/dev/null | wc -l; }
has_nodes() { [ "$(camera_nodes)" = "$1" ]; }
attach() { # nodes there are afterwards, options of uvc-camera...
  local nodes=$1
  shift
  uvc-camera /media "$@" &
  wait_until has_nodes "$nodes" || echo "not ok - uvcvideo takes the USB camera '$*'"
}
detach() { # process, nodes there are afterwards
  kill "$1"
  wait "$1" 2>/dev/null
  wait_until has_nodes "$2" || echo "not ok - uvcvideo notices that a USB camera is unplugged"
}
has_status() { wget -q -O /tmp/status.json http://127.0.0.1:8080/api/status 2>/dev/null && grep -q "$1" /tmp/status.json; }
status_shows() {
  wait_until has_status "$1" && return
  sed 's/^/# /' /tmp/agent.log /tmp/status.json
  return 1
}
run_agent() { # path
  echo '{ "cameras": { "usb": { "source": { "kind": "v4l2", "path": "'"$1"'", "pixelFormat": "H264" } } } }' >/tmp/agent.json
  camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
  agent=$!
}
stop_agent() {
  kill $agent
  wait $agent
}
modprobe vhci-hcd
modprobe uvcvideo

# With a serial number: another takes its port and its node; it comes back elsewhere.
attach 2 serial=A1
first=$!
camera-agent probe --config >/tmp/suggested.json
check 'the configuration that probe suggests names it by its serial number' grep -q '"path": "serial:A1"' /tmp/suggested.json
check 'the configuration that probe suggests is good' camera-agent config check /tmp/suggested.json
run_agent /dev/video0
check 'the camera with serial number A1 is shown' status_shows '"isProducing":true'
detach $first 0
attach 2 serial=B2
second=$!
check 'a camera with another serial number is not taken for it' status_shows 'unplugged; waiting for it (UVC test camera[^)]*serial number A1); .*is another one'
attach 4 serial=A1 port=1
first=$!
check 'it is shown again from another port and node' status_shows '"isProducing":true'
check 'it is shown from /dev/video2' status_shows 'dev/video0 at /dev/video2'
stop_agent

# Selectors.
for path in serial:B2 bus:usb-vhci_hcd.0-1; do
  run_agent $path
  check "$path means the first camera" status_shows "$path at /dev/video0"
  stop_agent
done
detach $first 2
detach $second 0

# Without serial numbers two are told apart by their ports.
attach 2
first=$!
attach 4 port=1
second=$!
run_agent /dev/video0
check 'the first of two alike is shown' status_shows '"isProducing":true'
detach $first 2
check 'the second is not taken for it' status_shows 'unplugged; waiting for it (UVC test camera[^)]*usb-vhci_hcd.0-1)'
attach 4
first=$!
check 'it is shown again on its port' status_shows '"isProducing":true'
stop_agent
detach $first 2
detach $second 0
remove_usb
