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

# Every fifth frame is marked as damaged: uvcvideo withholds it, or with nodrop=1 hands it on flagged.
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=missed
unplug
echo 1 >/sys/module/uvcvideo/parameters/nodrop
plug_in 5
camera-check stream $uvc format=MJPG picture=jpeg drops=damaged
unplug
remove_usb
