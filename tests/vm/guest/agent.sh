# The agent itself: it sees both drivers' cameras and the V4L2 encoder, and serves H.264 without libav: the USB camera's own, its MJPEG
# through libturbojpeg and the V4L2 encoder, and vivid's pictures through the V4L2 encoder without copying them.
modprobe vivid node_types=0x1
modprobe h264-encoder
plug_in
vivid=$(video_node vivid)
start_agent() { # configuration
  echo "$1" >/tmp/agent.json
  camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
  agent=$!
}
stop_agent() {
  kill $agent
  wait $agent
}
runs_without_libav() { ! grep -q libav /proc/$agent/maps; }
uptime_centiseconds() { cut -d' ' -f1 /proc/uptime | tr -d .; }
camera-agent probe --json >/tmp/probe.json
for wanted in '"driver": *"vivid"' '"card": *"UVC test camera' '"H264"'; do
  check "camera-agent probe --json shows $wanted" grep -q "$wanted" /tmp/probe.json
done
check 'camera-agent probe lists the V4L2 encoder' grep -q '"v4l2-m2m"' /tmp/probe.json
start_agent '{ "cameras": { "usb": { "source": { "kind": "v4l2", "path": "'"$uvc"'", "pixelFormat": "H264", "width": 640, "height": 480 } } } }'
has_status() { wget -q -O /tmp/status.json http://127.0.0.1:8080/api/status 2>/dev/null && grep -q "$1" /tmp/status.json; }
status_shows() {
  wait_until has_status "$1" && return
  sed 's/^/# /' /tmp/agent.log /tmp/status.json
  return 1
}
check "camera-agent passes the USB camera's H.264 through" status_shows '"encoder":"passthrough","isProducing":true'
check "camera-agent does so without libav" runs_without_libav
unplug
check "camera-agent notices that the USB camera is unplugged" status_shows '"isProducing":false,"error":"[^"]*unplugged'
plug_in
plugged=$(uptime_centiseconds)
check "camera-agent goes on when it is plugged in again" status_shows '"isProducing":true'
took=$(($(uptime_centiseconds) - plugged))
check "camera-agent does so within 2 s: $((took * 10)) ms after the node was there" [ $took -le 200 ]
check "camera-agent stops when it is asked to" stop_agent

# Both pictures at once: one agent, two cameras, the V4L2 encoder twice.
start_agent '{ "cameras": {
  "raw": { "source": { "kind": "v4l2", "path": "'"$vivid"'", "pixelFormat": "NV12", "width": 640, "height": 480, "frameRate": 10 } },
  "jpeg": { "source": { "kind": "v4l2", "path": "'"$uvc"'", "pixelFormat": "MJPG", "width": 640, "height": 480 } } } }'
check "camera-agent encodes a camera's pictures with the V4L2 encoder and copies none of their bytes" \
  status_shows '"name":"raw".*test H.264 encoder[^}]*"isProducing":true[^}]*"bytesCopiedPerFrame":0[,}]'
check "the encoder says that it read them where they were captured" [ "$(cat /sys/module/h264_encoder/parameters/frames_dmabuf)" -gt 0 ]
check "camera-agent encodes MJPEG with the V4L2 encoder" status_shows '"name":"jpeg".*test H.264 encoder[^}]*"isProducing":true'
check "camera-agent does both without libav" runs_without_libav
for camera in raw jpeg; do
  wget -q -O /tmp/$camera.jpg http://127.0.0.1:8080/api/cameras/$camera/snapshot.jpg
  check "camera-agent gives a picture of camera $camera as JPEG" [ "$(head -c 3 /tmp/$camera.jpg | od -An -tx1 | tr -d ' ')" = ffd8ff ]
done
check "camera-agent takes pictures without libav" runs_without_libav
stop_agent
unplug
remove_usb
modprobe -r h264-encoder
modprobe -r vivid
