#!/usr/bin/env bash
# Decodes the streams that guest/m2m.sh has recorded with ffmpeg: each picture must be the camera's to the sample, and the stream what was
# asked for.
#   m2m.sh FOLDER      holds NAME.h264 and NAME.sums, the Adler-32 sums of the camera's frames
set -euo pipefail
cd "$1"

check() { # name, command...
  local name=$1
  shift
  if "$@"; then echo "ok - $name"; else echo "not ok - $name"; fi
}

# The sum of each decoded picture, as framecrc counts.
decoded_sums() {
  ffmpeg -v error -xerror -i "$1" -pix_fmt yuv420p -fps_mode passthrough -f framecrc - | sed -n 's/^0,.*, *\(0x[0-9a-f]*\)$/\1/p'
}
is_exact() { [ -s "$1.sums" ] && [ "$(decoded_sums "$1.h264")" = "$(cat "$1.sums")" ]; }

says() { # name, what ffprobe must say
  [ "$(ffprobe -v error -show_entries stream=profile,width,height,has_b_frames,level -of csv=p=0 "$1.h264")" = "$2" ]
}

for stream in *.h264; do
  name=${stream%.h264}
  check "ffmpeg decodes $name to the camera's pictures, every sample" is_exact "$name"
done
check "dmabuf-pi is what was asked for" says dmabuf-pi 'Constrained Baseline,640,480,0,31'
check "dmabuf-yu12 is what was asked for" says dmabuf-yu12 'Main,320,180,0,31'
check "copy-lines is what was asked for" says copy-lines 'High,320,180,0,31'
