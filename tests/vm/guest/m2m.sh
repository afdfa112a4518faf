# The V4L2 encoder, fed by vivid: vicodec (FWHT, by the same interface as H.264) and the simulated H.264 encoder of drivers/. Streams that
# are recorded are exact to the sample; host/m2m.sh decodes them.
modprobe vivid n_devs=2 node_types=0x1,0x101 multiplanar=1,2
encode() { camera-check encode "$@"; }
parameter() { echo "echo $2 >/sys/module/h264_encoder/parameters/$1"; }
run() { sh -c "$(parameter "$@")"; }

# vicodec, single- and multi-planar
for multiplanar in N Y; do
  modprobe vicodec multiplanar=$multiplanar
  encode /dev/video0 coded=FWHT format=NV12 size=640x480 rate=10 path=dmabuf
  encode /dev/video0 coded=FWHT format=YU12 size=640x360 rate=10 path=copy reason='360 lines'
  encode /dev/video1 coded=FWHT format=YUYV size=640x480 rate=10 path=dmabuf
  modprobe -r vicodec
done

# H.264 with the Raspberry Pi's alignments
modprobe h264-encoder
encode /dev/video0 format=NV12 size=640x480 rate=10 path=dmabuf id=42e01f record=dmabuf-pi
encode /dev/video1 format=NV12 size=640x480 rate=10 path=dmabuf
encode /dev/video1 format=NM12 size=640x480 rate=10 path=copy reason='memory planes'
encode /dev/video0 format=NV12 size=320x180 rate=10 path=copy reason='180 lines' profile=High id=64001f record=copy-lines
modprobe -r h264-encoder

# From here on with an encoder that takes any height, so that small pictures go in as they are.
small() { encode /dev/video0 size=320x180 rate=10 "$@"; }
modprobe h264-encoder height_align=4
small format=NV12 frames=30 gop=1 path=dmabuf record=dmabuf-gop
small format=YU12 path=dmabuf profile=Main id=4d401f record=dmabuf-yu12
small format=NV12 frames=20 force=8 bitrate=12:500000 path=dmabuf

small format=NV12 dmabuf=wrong path=copy reason='VIDIOC_QBUF: Invalid argument' record=copy-refused

# Slower than the camera: frames are left out, and the camera keeps its buffers.
run delay_ms 250
small format=NV12 frames=24 skips=some missed=6 path=dmabuf force=14
run delay_ms 10

# What goes wrong
small format=NV12 at="8:$(parameter fail_frames 1)" lost=1
small format=NV12 at="8:$(parameter stall Y)" fails='has finished nothing for 1000 ms' within=3000
run stall N
small format=NV12 at="8:$(parameter io_error Y)" fails='it is reopened by itself' within=2000
small format=NV12 path=dmabuf
modprobe -r h264-encoder

# Lines of another length, and formats that the agent repacks itself
modprobe h264-encoder height_align=4 stride_align=256
small format=NV12 path=copy reason='for the encoder 512' record=copy-stride
modprobe -r h264-encoder
modprobe h264-encoder height_align=4 formats=YU12
small format=NV12 path=copy record=copy-nv12-yu12
modprobe -r h264-encoder
modprobe h264-encoder height_align=4 formats=NV12
small format=YU12 path=copy record=copy-yu12-nv12
modprobe -r h264-encoder
modprobe -r vivid
