#!/usr/bin/env bash
# Runs the agent against real kernel drivers: Debian 12's kernel 6.1 and its backports' kernel 6.12, each in a QEMU machine (no KVM
# needed), with vivid, a USB camera that uvcvideo drives over USB/IP, and the modules of drivers/Kbuild, which Debian leaves out.
# Installs what it needs, keeps downloads and what is built in the work folder, and ends with one line: N passed, N failed.
#   tests/vm/run.sh [--kernel 6.1|6.12]... [--area NAME]... [--work DIR] [--verbose] [--prepare]
#     --kernel   this kernel only; without it both, side by side
#     --area     this area of checks only; without it all, in the order of their names. guest/NAME.sh is what the machine runs.
#     --work     defaults to tests/vm/work; kernels are looked up again when it is removed
#     --verbose  shows the machines' consoles
#     --prepare  only fetches and makes what does not depend on the agent, so that a later run need not
# CAMERA_AGENT names the native executable to run in the machines; without it one is published.
#
# To add an area: write guest/NAME.sh (guest/init.sh has the functions it can use); if it leaves files in /out, host/NAME.sh checks them. To add a module: of Debian's linux-source, name its
# objects in drivers/Kbuild; of our own, put its .c into drivers/. `modprobe NAME` then loads it in the machines.
set -Eeuo pipefail
trap 'echo "not ok - run.sh line $LINENO: $BASH_COMMAND"; echo "0 passed, 1 failed"' ERR
here=$(cd "$(dirname "$0")" && pwd)
work=$here/work
kernels=()
areas=
verbose=
prepare=
while [ $# -gt 0 ]; do
  case $1 in
    --kernel)
      case ${2-} in 6.1 | 6.12) kernels+=("$2") ;; *) echo "run.sh: --kernel is 6.1 or 6.12" >&2; exit 2 ;; esac
      shift 2 ;;
    --area)
      [ -e "$here/guest/${2:?--area needs a name}.sh" ] && [ "$2" != init ] || { echo "run.sh: there is no area '$2'" >&2; exit 2; }
      areas+=${areas:+,}$2
      shift 2 ;;
    --work) work=$(realpath -m "${2:?--work needs a folder}"); shift 2 ;;
    --verbose) verbose=1; shift ;;
    --prepare) prepare=1; shift ;;
    *) echo "run.sh: unknown argument '$1'" >&2; exit 2 ;;
  esac
done
[ ${#kernels[@]} -gt 0 ] || kernels=(6.1 6.12)

# Emulated, the areas take some six minutes, on a busy machine several times that; a machine that hangs is stopped.
timeout_seconds=1500
architecture=x86_64-linux-gnu
passed=0
failed=0

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
  mkdir -p "$stage"/{areas,bin,lib/$architecture,lib64}
  dotnet publish "$here/CameraCheck" -c Release -o "$work/camera-check" --nologo -v q
  install -m 755 "$work/camera-check/CameraCheck" "$stage/bin/camera-check"
  if [ -z "$agent" ]; then
    "$here/../../publish-arm64.sh" --rid linux-x64 --output "$work/camera-agent" >&2
    agent=$work/camera-agent/camera-agent
  fi
  install -m 755 "$agent" "$stage/bin/camera-agent"
  # OpenSSL and libturbojpeg are loaded by name at run time. There is no libav in the machine: H.264 from the camera must not need it.
  ldd "$stage/bin/camera-check" "$stage/bin/camera-agent" "/usr/lib/$architecture/libssl.so.3" "/usr/lib/$architecture/libturbojpeg.so.0" | grep -o '/[^ :]*' | sort -u | while read -r library; do
    [ "${library#"$stage"}" != "$library" ] || install -D -m 755 "$library" "$stage$library"
  done
  gcc -O2 -Wall -Wextra -Werror -static -o "$stage/bin/uvc-camera" "$here/uvc-camera.c"
  cp -r "$work/media" "$stage/media"
  install -m 644 "$here"/guest/*.sh "$stage/areas/"
  mv "$stage/areas/init.sh" "$stage/init"
  chmod 755 "$stage/init"
  (cd "$stage" && find . -print0 | cpio -0 -o -H newc --owner 0:0 --quiet) >"$work/payload.cpio"
}

# What the machine has left in /out is looked at by host/NAME.sh, if its area was run.
check_output() { # kernel
  local folder=$work/out-$1 script area
  rm -rf "$folder"
  mkdir "$folder"
  [ ! -s "$folder.cpio" ] || (cd "$folder" && cpio -i --quiet <"$folder.cpio")
  for script in "$here"/host/*.sh; do
    area=$(basename "$script" .sh)
    case ,$areas, in ,, | *",$area,"*) "$script" "$folder" || echo "not ok - host/$area.sh runs" ;; esac
  done
}

run_machine() { # kernel
  local kernel=$1 folder=$work/kernel-$1 log=$work/console-$1.log status=0
  cat "$folder/base.cpio" "$work/payload.cpio" >"$work/initramfs-$kernel.cpio"
  rm -f "$log"
  timeout --foreground "$timeout_seconds" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1G \
    -nodefaults -display none -no-reboot -kernel "$folder/vmlinuz" -initrd "$work/initramfs-$kernel.cpio" \
    -append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=reliable no_timer_check nowatchdog ${areas:+areas=$areas}" \
    -serial stdio -serial "file:$work/out-$kernel.cpio" </dev/null >"$log" 2>&1 || status=$?
  check_output "$kernel" >>"$log"
  tr -d '\r' <"$log" | sed -E "s/^(ok|not ok) - /\1 - [$kernel] /" >"$log.txt"
  mv "$log.txt" "$log"
  grep -q '^guest: finished' "$log" || echo "not ok - [$kernel] the machine runs to its end (qemu exit status $status, 124 is the timeout; console: $log)" >>"$log"
}

# What its log says is printed and counted.
report() { # kernel
  local kernel=$1 log=$work/console-$1.log ok bad
  if [ -n "$verbose" ]; then cat "$log"; else grep -E '^(not )?ok ' "$log" || true; fi
  ok=$(grep -c '^ok ' "$log" || true)
  bad=$(grep -c '^not ok ' "$log" || true)
  # What the machine said about its failures, such as the kernel's log, comes last, where a reader looks.
  if [ "$bad" -gt 0 ] && [ -z "$verbose" ]; then grep -E '^(# |not ok)' "$log" | grep -B 150 '^not ok' | tail -600; fi
  grep -q '^guest: finished' "$log" || tail -60 "$log"
  passed=$((passed + ok))
  failed=$((failed + bad))
}

mkdir -p "$work"
"$here/../../deploy/install-packages.sh" qemu-system-x86 busybox-static cpio kmod libturbojpeg0 gcc make 'libelf1(t64)?' xz-utils ffmpeg
# Downloads and builds side by side: most of the time goes to waiting for the one or the other.
makers=()
trap 'kill "${makers[@]}" 2>/dev/null || true' EXIT
for kernel in "${kernels[@]}"; do
  "$here/kernel.sh" "$work" "$kernel" >"$work/kernel-$kernel.log" 2>&1 &
  makers+=($!)
done
[ -e "$work/media" ] || build_media
[ -n "$prepare" ] || build_payload
for i in "${!kernels[@]}"; do
  kernel=${kernels[$i]}
  if wait "${makers[$i]}"; then continue; fi
  echo "not ok - [$kernel] the kernel and its modules are made"
  tail -20 "$work/kernel-$kernel.log"
  failed=$((failed + 1))
  unset "kernels[$i]"
done
[ -z "$prepare" ] || { trap - ERR; exit "$failed"; }
# A machine keeps about one processor busy, so that two of them together take little longer than one where there are two.
machines=()
for kernel in "${kernels[@]}"; do
  run_machine "$kernel" &
  machines+=($!)
done
makers+=("${machines[@]}")
for machine in "${machines[@]}"; do wait "$machine"; done
for kernel in "${kernels[@]}"; do report "$kernel"; done
echo "$passed passed, $failed failed"
trap - ERR
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
