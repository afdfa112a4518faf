#!/bin/busybox sh
# PID 1 of the test machine: runs the areas that the kernel command line names (areas=vivid,agent), or all, then switches the machine off.
# Areas are the other files of this folder, run in the order of their names, each in a shell of its own that has the functions below.
# An area loads the drivers it needs and removes them again.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
echo "# Linux $(uname -r), up after $(cut -d' ' -f1 /proc/uptime) s"
ifconfig lo up

check() { # name, command...
  local name=$1
  shift
  if "$@"; then echo "ok - $name"; else echo "not ok - $name"; fi
}

wait_until() { # command...: 0 as soon as it succeeds, 1 if it has not after 10 s
  local attempt
  for attempt in $(seq 100); do
    "$@" && return
    usleep 100000
  done
  return 1
}

# The video node of the device whose name starts with this, the lowest if it has several.
video_node() {
  local node
  node=$(grep -l "^$1" /sys/class/video4linux/*/name 2>/dev/null | sort -V | head -1 | cut -d/ -f5)
  [ -n "$node" ] && [ -e "/dev/$node" ] && echo "/dev/$node"
}

uvc=
uvc_process=
sees_uvc() { uvc=$(video_node 'UVC test camera'); }

# Plugs the USB camera in and waits for its node, the lower of its two (the other one is for metadata).
plug_in() { # options of uvc-camera...
  modprobe vhci-hcd
  modprobe uvcvideo
  uvc-camera /media "$@" &
  uvc_process=$!
  wait_until sees_uvc || echo "not ok - uvcvideo takes the USB camera: no video node after 10 s"
}

is_unplugged() { [ ! -e "$uvc" ]; }

# For a camera that has been killed already, too.
unplug() {
  kill "$uvc_process" 2>/dev/null
  wait "$uvc_process" 2>/dev/null
  wait_until is_unplugged || echo "not ok - uvcvideo notices that the USB camera is unplugged: $uvc is there after 10 s"
}

remove_usb() {
  modprobe -r uvcvideo
  modprobe -r vhci-hcd
}

# WARN and BUG print a line that asks to cut there; KASAN, lockdep, hung tasks and oopses print one with BUG or INFO.
is_clean() { # kernel log
  ! grep -E 'cut here|BUG:|INFO: |Oops' "$1" || { sed 's/^/# /' "$1"; return 1; }
}

for file in /areas/*.sh; do
  area=$(basename "$file" .sh)
  case $(sed -n 's/.*\bareas=\([^ ]*\).*/,\1,/p' /proc/cmdline) in
    '' | *",$area,"*) ;;
    *) continue ;;
  esac
  echo "# area $area, at $(cut -d' ' -f1 /proc/uptime) s"
  (. "$file")
  dmesg -c >/tmp/kernel.log
  check "area $area: the kernel reports no fault" is_clean /tmp/kernel.log
  for node in /dev/video*; do
    [ ! -e "$node" ] || echo "not ok - area $area removes its drivers: $node is left"
  done
done
# What the areas have left in /out goes to the host by the second serial port.
if [ -d /out ]; then
  stty -F /dev/ttyS1 raw -echo 115200
  (cd /out && find . -type f | cpio -o -H newc 2>/dev/null) >/dev/ttyS1
fi
echo "guest: finished at $(cut -d' ' -f1 /proc/uptime) s"
poweroff -f
