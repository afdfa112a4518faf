# The V4L2 source with the USB camera, isochronous, driven by uvcvideo.
plug_in
camera-check probe $uvc card='UVC test camera' \
  format=MJPG:1280x720@30 format=YUYV:1280x720@10 format=H264:640x480@15 control=Contrast
camera-check stream $uvc size=640x480 rate=30 gives=YUYV:640x480
camera-check stream $uvc size=1280x720 rate=30 gives=MJPG:1280x720 picture=jpeg
camera-check stream $uvc size=1280x720 rate=10 gives=YUYV:1280x720 frames=10
camera-check stream $uvc format=MJPG size=640x480 rate=15 gives=MJPG:640x480 picture=jpeg fps=10..17
camera-check stream $uvc format=H264 size=1280x720 rate=30 gives=H264:640x480 picture=h264
camera-check stream $uvc format=H264 rate=30 frames=15 hold=40 picture=h264 drops=none
camera-check stream $uvc format=MJPG frames=10 picture=jpeg then="kill $uvc_process" fails='unplugged' within=2000
unplug
plug_in
camera-check stream $uvc format=MJPG frames=10 picture=jpeg then="kill -USR1 $uvc_process" fails='no usable frame for 3 s' within=4500
unplug

# Its own H.264 is taken where size and rate are no worse. Without an extension unit it makes keyframes when it likes, and that is said.
plug_in
camera-check stream $uvc own=WhereItServes size=640x480 rate=30 gives=H264:640x480 frames=5 says='keyframes when it likes, its own bitrate'
camera-check stream $uvc own=WhereItServes size=1280x720 rate=30 gives=MJPG:1280x720 frames=5
camera-check stream $uvc own=Always size=1280x720 gives=H264:640x480 frames=5
camera-check refuse $uvc 'exclude one another' own=Always format=MJPG
camera-check refuse $uvc 'leaves nothing to encode' own=Never format=H264
camera-check control $uvc brightness 64 '=64' contrast 99 '=64 99 is outside 0..64; set to 64' contrast 32 '=32'
unplug

# With the H.264 extension unit it makes them on request, at the bitrate it is told.
plug_in unit log=/tmp/encoder
camera-check stream $uvc format=H264 size=640x480 frames=5 says='keyframes on request, bitrate on request' notes=none \
  keyframes=4 bitrate=1234567
unplug
check 'the camera was told bitrate and keyframe distance before the stream' grep -q '^bitrate 2000000$' /tmp/encoder
check 'the camera was asked for 4 keyframes' test "$(grep -c '^keyframe' /tmp/encoder)" = 4
check 'the camera was told the bitrate of the running stream' grep -q '^bitrate 1234567$' /tmp/encoder

# A unit that cannot be asked for keyframes makes one every second.
plug_in unit=gop log=/tmp/encoder
camera-check stream $uvc format=H264 size=640x480 frames=5 says='a keyframe every 1 s' notes='no keyframes on request' gop=30
unplug
check 'the camera was told a keyframe distance of a second' grep -q '^period 1000$' /tmp/encoder

# Every fifth frame is marked as damaged: uvcvideo withholds it, or with nodrop=1 hands it on flagged.
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=missed
unplug
echo 1 >/sys/module/uvcvideo/parameters/nodrop
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=damaged
unplug
remove_usb
