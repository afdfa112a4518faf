#!/usr/bin/env bash
# Runs the agent's V4L2 source against real kernel drivers: Debian's kernel in a QEMU machine (no KVM needed), with vivid and with a
# USB camera that uvcvideo drives over USB/IP. Installs what it needs, keeps downloads and images in the work folder, and ends with one
# line: N passed, N failed.
#   tests/vm/run.sh [--work DIR] [--verbose]      DIR defaults to tests/vm/work; --verbose shows the machine's console
# CAMERA_AGENT names the native executable to run in the machine; without it one is published.
set -Eeuo pipefail
trap 'echo "not ok - run.sh line $LINENO: $BASH_COMMAND"; echo "0 passed, 1 failed"' ERR
here=$(cd "$(dirname "$0")" && pwd)
work=$here/work
verbose=
while [ $# -gt 0 ]; do
  case $1 in
    --work) work=$(realpath -m "${2:?--work needs a folder}"); shift 2 ;;
    --verbose) verbose=1; shift ;;
    *) echo "run.sh: unknown argument '$1'" >&2; exit 2 ;;
  esac
done

# Emulated, the whole test takes about a minute; a machine that hangs is stopped.
timeout_seconds=240
modules="vivid uvcvideo vhci-hcd"
architecture=x86_64-linux-gnu

# The kernel that the archive serves now; its name changes with each ABI, so the metapackage is asked.
kernel_package() {
  apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-.*-amd64\)$/\1/p' | head -1
}

fetch_kernel() {
  local package=$1
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package")
}

# Kernel, busybox and the modules with what they depend on: the part that changes only with the kernel.
build_base() {
  local version=$1 stage=$work/base tree=$work/kernel
  rm -rf "$stage" "$tree"
  mkdir -p "$stage"/{bin,dev,etc,proc,run,sys,tmp} "$tree"
  dpkg-deb -x "$work/linux-image-$version"_*.deb "$tree"
  [ -e "$tree/lib" ] || ln -s usr/lib "$tree/lib"
  cp "$tree/boot/vmlinuz-$version" "$work/vmlinuz-$version"
  depmod -b "$tree" "$version"
  local module file
  for module in $modules; do
    modprobe -d "$tree" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | sort -u | while read -r file; do
    install -D -m 644 "$file" "$stage/lib/${file#*/lib/}"
  done
  find "$stage/lib" -name '*.xz' -exec unxz {} +
  cp "$tree/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$stage/lib/modules/$version/"
  depmod -b "$stage" "$version"
  install -m 755 "$(command -v busybox)" "$stage/bin/busybox"
  printf 'root:x:0:0::/:/bin/sh\nviewer:x:1000:1000::/:/bin/sh\n' >"$stage/etc/passwd"
  printf 'root:x:0:\nvideo:x:44:\nviewer:x:1000:\n' >"$stage/etc/group"
  pack "$stage" "$work/base-$version.cpio.new"
  mv "$work/base-$version.cpio.new" "$work/base-$version.cpio"
  rm -rf "$stage" "$tree"
}

pack() {
  (cd "$1" && find . -print0 | cpio -0 -o -H newc --owner 0:0 --quiet) >"$2"
}

# Sixty frames of a test picture in each coded format the USB camera offers.
build_media() {
  local size codec=(-c:v libx264 -preset ultrafast -tune zerolatency -x264-params 'aud=1:keyint=30:slices=1' -f h264)
  rm -rf "$work/media.new"
  mkdir -p "$work/media.new"
  for size in 640x480 1280x720; do
    ffmpeg -v error -f lavfi -i "testsrc2=size=$size:rate=30" -frames:v 60 \
      -c:v mjpeg -pix_fmt yuvj422p -q:v 8 -f mjpeg "$work/media.new/mjpg-$size"
  done
  ffmpeg -v error -f lavfi -i testsrc2=size=640x480:rate=30 -frames:v 60 -pix_fmt yuv420p "${codec[@]}" "$work/media.new/h264-640x480"
  mv "$work/media.new" "$work/media"
}

# What is being tested: made anew each time.
build_payload() {
  local stage=$work/payload library agent=${CAMERA_AGENT:-}
  rm -rf "$stage"
  mkdir -p "$stage"/{bin,lib/$architecture,lib64}
  dotnet publish "$here/CameraCheck" -c Release -o "$work/camera-check" --nologo -v q
  install -m 755 "$work/camera-check/CameraCheck" "$stage/bin/camera-check"
  if [ -z "$agent" ]; then
    "$here/../../publish-arm64.sh" --rid linux-x64 --output "$work/camera-agent" >&2
    agent=$work/camera-agent/camera-agent
  fi
  install -m 755 "$agent" "$stage/bin/camera-agent"
  # OpenSSL is loaded by name at run time. There is no libav in the machine: H.264 from the camera must not need it.
  ldd "$stage/bin/camera-check" "$stage/bin/camera-agent" "/usr/lib/$architecture/libssl.so.3" | grep -o '/[^ :]*' | sort -u | while read -r library; do
    [ "${library#"$stage"}" != "$library" ] || install -D -m 755 "$library" "$stage$library"
  done
  gcc -O2 -Wall -Wextra -Werror -static -o "$stage/bin/uvc-camera" "$here/uvc-camera.c"
  cp -r "$work/media" "$stage/media"
  install -m 755 "$here/guest.sh" "$stage/init"
  pack "$stage" "$work/payload.cpio"
}

mkdir -p "$work"
export PATH=$PATH:/usr/sbin:/sbin
"$here/../../deploy/install-packages.sh" qemu-system-x86 busybox-static cpio kmod gcc ffmpeg
package=$(kernel_package)
if [ -z "$package" ] || { [ ! -e "$work/base-${package#linux-image-}.cpio" ] && ! fetch_kernel "$package"; }; then
  # Package lists that are missing or older than the archive.
  apt-get -qq update
  package=$(kernel_package)
  fetch_kernel "$package"
fi
version=${package#linux-image-}
[ -e "$work/base-$version.cpio" ] || build_base "$version"
[ -e "$work/media" ] || build_media
build_payload
cat "$work/base-$version.cpio" "$work/payload.cpio" >"$work/initramfs.cpio"

log=$work/console.log
status=0
rm -f "$log"
timeout --foreground "$timeout_seconds" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1G \
  -nodefaults -display none -no-reboot -kernel "$work/vmlinuz-$version" -initrd "$work/initramfs.cpio" \
  -append 'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=reliable no_timer_check nowatchdog' \
  -serial stdio </dev/null >"$log" 2>&1 || status=$?
tr -d '\r' <"$log" >"$log.txt"
mv "$log.txt" "$log"

if [ -n "$verbose" ]; then cat "$log"; else grep -E '^(not )?ok ' "$log" || true; fi
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^not ok ' "$log" || true)
if ! grep -q '^guest: finished$' "$log"; then
  echo "not ok - the machine runs to its end (qemu exit status $status, 124 is the timeout; console: $log)"
  tail -20 "$log"
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
trap - ERR
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
