#!/bin/busybox sh
# PID 1 of the test machine: loads the drivers, runs the checks, switches the machine off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
echo "# Linux $(uname -r), up after $(cut -d' ' -f1 /proc/uptime) s"
uvc=
uvc_process=

# Plugs the USB camera in and waits for its node, the lower of its two (the other one is for metadata).
plug_in() {
  uvc-camera /media "$@" &
  uvc_process=$!
  for attempt in $(seq 100); do
    uvc=$(grep -l '^UVC test camera' /sys/class/video4linux/*/name 2>/dev/null | sort | head -1 | cut -d/ -f5)
    [ -n "$uvc" ] && [ -e "/dev/$uvc" ] && { uvc=/dev/$uvc; return; }
    usleep 100000
  done
  echo "not ok - uvcvideo takes the USB camera: no video node after 10 s"
}

unplug() {
  kill "$uvc_process"
  wait "$uvc_process" 2>/dev/null
  while [ -e "$uvc" ]; do usleep 100000; done
}

# --- vivid: video0 single-planar capture, video1 multi-planar capture, video2 output
modprobe vivid n_devs=2 node_types=0x1,0x101 multiplanar=1,2 no_error_inj=0,0
camera-check probe /dev/video0 card=vivid format=YUYV:640x480@25 control=Brightness
for format in YUYV NV12 YU12; do
  camera-check stream /dev/video0 format=$format size=640x480 rate=25 gives=$format:640x480 picture=bars fps=22..28
done
camera-check stream /dev/video0 size=300x200 rate=10 gives=NV12:320x180 picture=bars frames=15 fps=9..11
camera-check stream /dev/video1 size=320x180 rate=25 gives=NV12:320x180 picture=bars
camera-check stream /dev/video1 format=NM12 size=320x180 rate=25 gives=NV12:320x180 picture=bars
camera-check stream /dev/video1 format=YM12 size=320x180 rate=25 gives=YU12:320x180 picture=bars
camera-check stream /dev/video1 format=YUYV size=320x180 rate=25 gives=YUYV:320x180 picture=bars

# A slow reader gets the newest frame; lost frames are counted.
camera-check stream /dev/video0 format=YUYV size=320x180 rate=25 frames=10 hold=400 age=150 drops=overwritten
camera-check set /dev/video0 'Percentage of Dropped Buffers' 30
camera-check stream /dev/video0 format=YUYV size=320x180 rate=25 frames=30 drops=missed
camera-check set /dev/video0 'Percentage of Dropped Buffers' 0

# What cannot be opened says why.
camera-check refuse /dev/video9 'no such device node'
camera-check refuse /dev/null 'no V4L2 device at all'
camera-check refuse /dev/video2 'a video output device'
camera-check refuse /dev/video0 'set '\''pixelFormat'\''' format=H264
chmod 660 /dev/video0
su -c "camera-check refuse /dev/video0 'group video'" viewer
camera-check stream /dev/video0 size=320x180 frames=200 >/dev/null &
holder=$!
usleep 700000
camera-check refuse /dev/video0 'in use by another program'
kill $holder

# A stream that fails and a device that goes are reported at once.
camera-check stream /dev/video0 size=320x180 frames=10 \
  then="camera-check set /dev/video0 'Inject Fatal Streaming Error' 1" fails='it is reopened by itself' within=2000
camera-check stream /dev/video0 size=320x180 frames=10
camera-check stream /dev/video0 size=320x180 frames=10 \
  then="camera-check set /dev/video0 Disconnect 1" fails='unplugged' within=2000

# --- the USB camera, isochronous, driven by uvcvideo
modprobe vhci-hcd
modprobe uvcvideo
plug_in
camera-check probe $uvc card='UVC test camera' \
  format=MJPG:1280x720@30 format=YUYV:1280x720@10 format=H264:640x480@15 control=Contrast
camera-check stream $uvc size=640x480 rate=30 gives=YUYV:640x480
camera-check stream $uvc size=1280x720 rate=30 gives=MJPG:1280x720 picture=jpeg
camera-check stream $uvc size=1280x720 rate=10 gives=YUYV:1280x720 frames=10
camera-check stream $uvc format=MJPG size=640x480 rate=15 gives=MJPG:640x480 picture=jpeg fps=13..17
camera-check stream $uvc format=H264 size=1280x720 rate=30 gives=H264:640x480 picture=h264
camera-check stream $uvc format=H264 rate=30 frames=30 hold=40 picture=h264 drops=none
camera-check stream $uvc format=MJPG frames=10 picture=jpeg then="kill $uvc_process" fails='unplugged' within=2000
wait $uvc_process 2>/dev/null
while [ -e $uvc ]; do usleep 100000; done
plug_in
camera-check stream $uvc format=MJPG frames=10 picture=jpeg then="kill -USR1 $uvc_process" fails='no usable frame for 3 s' within=4500
unplug

# Every fifth frame is marked as damaged: uvcvideo withholds it, or with nodrop=1 hands it on flagged.
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=missed
unplug
echo 1 >/sys/module/uvcvideo/parameters/nodrop
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=damaged
unplug

# --- the agent itself: it sees both drivers' cameras, and serves the USB camera's own H.264 without libav
check() { # name, command...
  local name=$1
  shift
  if "$@"; then echo "ok - $name"; else echo "not ok - $name"; fi
}
plug_in
camera-agent probe --json >/tmp/probe.json
for wanted in '"driver": *"vivid"' '"card": *"UVC test camera' '"H264"'; do
  check "camera-agent probe --json shows $wanted" grep -q "$wanted" /tmp/probe.json
done
ifconfig lo up
cat >/tmp/agent.json <<EOF
{ "cameras": { "usb": { "source": { "kind": "v4l2", "path": "$uvc", "pixelFormat": "H264", "width": 640, "height": 480 } } } }
EOF
camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
agent=$!
status_shows() {
  for attempt in $(seq 100); do
    wget -q -O /tmp/status.json http://127.0.0.1:8080/api/status 2>/dev/null && grep -q "$1" /tmp/status.json && return
    usleep 100000
  done
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

echo guest: finished
poweroff -f
