# The V4L2 source with vivid: video0 single-planar capture, video1 multi-planar capture, video2 output
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
camera-check stream /dev/video0 size=320x180 frames=200 >/tmp/holder &
holder=$!
wait_until grep -q '^# v4l2 /dev/video0' /tmp/holder
camera-check refuse /dev/video0 'in use by another program'
kill $holder
wait $holder 2>/dev/null

# Numbers and times that wrap are neither gaps nor instants in the future.
camera-check set /dev/video0 'Wrap Sequence Number' 1
camera-check stream /dev/video0 size=320x180 rate=10 frames=15
camera-check set /dev/video0 'Wrap Sequence Number' 0
camera-check set /dev/video0 'Wrap Timestamp' 1
camera-check stream /dev/video0 size=320x180 rate=10 frames=10
camera-check set /dev/video0 'Wrap Timestamp' 0

# Controls: by the names that v4l2-ctl uses, clamped, explained; set at every opening.
camera-check control /dev/video0 \
  brightness 100 '=100' brightness 300 '=255 300 is outside 0..255; set to 255' brightnes 1 'the nearest are brightness' \
  gain_automatic true '=1' gain 50 'gain_automatic holds it; set gain_automatic to false first' gain_automatic false '=0' gain 50 '=50' \
  test_pattern '100% White' '=6' test_pattern 100_red '=7' test_pattern 99 'expected one of 0 (' test_pattern 0 '=0' \
  hue 1.5 'expected an integer -128..128' saturation 0x10 '=16' contrast 128 '=128' brightness 128 '=128' saturation 128 '=128'
camera-check stream /dev/video0 size=320x180 frames=2 control=contrast:100 control=hue:999 notes='control hue: 999 is outside -128..128; set to 128'
camera-check stream /dev/video0 size=320x180 frames=2 control=contrast:128 control=hue:0 notes=none

# Another program, and errors of single calls: named, and gone with the next opening.
camera-check take /dev/video0
for call in REQBUFS QBUF STREAMON; do
  camera-check set /dev/video0 "Inject VIDIOC_$call Error" 1
  camera-check refuse /dev/video0 "VIDIOC_$call: Invalid argument"
  camera-check stream /dev/video0 size=320x180 frames=2
done
camera-check stream /dev/video0 size=320x180 frames=10 \
  then="camera-check set /dev/video0 'Inject VIDIOC_QBUF Error' 1" fails='the stream broke off (VIDIOC_QBUF' within=3000
camera-check stream /dev/video0 size=320x180 frames=2
camera-check stream /dev/video0 size=320x180 rate=25 frames=60 drops=damaged meanwhile="camera-check set /dev/video0 'Inject V4L2_BUF_FLAG_ERROR' 1"

# A stream that fails and a device that goes are reported at once.
camera-check stream /dev/video0 size=320x180 frames=10 \
  then="camera-check set /dev/video0 'Inject Fatal Streaming Error' 1" fails='it is reopened by itself' within=2000
camera-check stream /dev/video0 size=320x180 frames=10
camera-check stream /dev/video0 size=320x180 frames=10 \
  then="camera-check set /dev/video0 Disconnect 1" fails='unplugged' within=2000
modprobe -r vivid

# From physically contiguous memory, as cameras and encoders without an IOMMU have it.
modprobe vivid node_types=0x1 allocators=1
camera-check stream /dev/video0 format=NV12 size=320x180 rate=25 gives=NV12:320x180 picture=bars
modprobe -r vivid

# An HDMI input whose signal changes, goes and comes back.
modprobe vivid node_types=0x1 num_inputs=1 input_types=3 no_error_inj=0
camera-check stream /dev/video0 size=1280x720 frames=5 gives=NV12:1280x720 \
  then="camera-check set /dev/video0 'DV Timings Signal Mode' 1" fails='the signal at its input changed' within=3000
camera-check refuse /dev/video0 'no signal arrives at its input'
camera-check set /dev/video0 'DV Timings Signal Mode' 0
camera-check stream /dev/video0 size=1280x720 frames=5 gives=NV12:1280x720
modprobe -r vivid
