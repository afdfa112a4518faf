#!/usr/bin/env bash
# Makes what a test machine needs of one Debian kernel: the kernel itself, and a cpio archive of busybox and modules, among them those
# that drivers/Kbuild names, built against Debian's headers. Everything is kept by the kernel's version; what is there is not made again.
#   kernel.sh WORK 6.1|6.12      links WORK/kernel-SERIES to the folder that then holds vmlinuz and base.cpio
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(realpath -m "$1") series=$2
export PATH=$PATH:/usr/sbin:/sbin
# Debian's own modules; modprobe names what they depend on.
modules=(vivid uvcvideo vhci-hcd i2c-dev bmp280-i2c lm75 w1_therm)
shopt -s nullglob
drivers=("$here"/drivers/Kbuild "$here"/drivers/*.[ch])

# Sets packages (name=version), release (as in uname -r) and folder. Names change with each ABI, so the metapackages are asked:
# those of Debian 12 have its own kernel, those of its backports the later one.
resolve() {
  local from=
  [ "$series" = 6.1 ] || from=/bookworm-backports
  mapfile -t packages < <("$here/debian.sh" "$work/apt" apt-get -s --no-install-recommends install {linux-image-amd64,linux-headers-amd64,linux-source}"$from" |
    sed -nE "s/^Inst (linux-(image|headers|kbuild|source)-${series/./\\.}[^ ]*) \(([^ ]*) .*/\1=\3/p")
  release=$(printf '%s\n' "${packages[@]}" | sed -n 's/^linux-image-\(.*\)=.*/\1/p')
  if [ "${#packages[@]}" != 5 ] || [ -z "$release" ]; then
    echo "kernel.sh: the metapackages$from bring no complete kernel $series: ${packages[*]}" >&2
    exit 1
  fi
  folder=$work/$release
}

fetch() {
  mkdir -p "$folder/packages"
  (cd "$folder/packages" && "$here/debian.sh" "$work/apt" apt-get -qq download "${packages[@]}")
}

# The image with its modules, and the headers, whose makefile expects to lie below /usr/src.
unpack() {
  rm -rf "$folder"/{image,headers}
  mkdir -p "$folder"/{image,headers}
  dpkg-deb -x "$folder"/packages/linux-image-*.deb "$folder/image"
  [ -e "$folder/image/lib" ] || ln -s usr/lib "$folder/image/lib"
  cp "$folder/image/boot/vmlinuz-$release" "$folder/vmlinuz"
  local package
  for package in "$folder"/packages/linux-{headers,kbuild}-*.deb; do dpkg-deb -x "$package" "$folder/headers"; done
  sed -i "s|^include /usr/src/|include $folder/headers/usr/src/|" "$folder/headers/usr/src/linux-headers-$release/Makefile"
  touch "$folder/unpacked"
}

# The folders of linux-source that Kbuild names objects of.
object_folders() { sed 's/#.*//' "$here/drivers/Kbuild" | grep -oE '[[:alnum:]_/-]+/[[:alnum:]_-]+\.o\b' | xargs -n 1 dirname | sort -u; }

extract_sources() {
  local patterns
  mapfile -t patterns < <(object_folders | sed "s|.*|linux-source-$series/&/*.[ch]|")
  rm -rf "$folder/drivers"
  mkdir -p "$folder/drivers"
  dpkg-deb --fsys-tarfile "$folder"/packages/linux-source-*.deb | tar -xO "./usr/src/linux-source-$series.tar.xz" | xz -dcT0 |
    tar -x -C "$folder/drivers" --strip-components=1 --wildcards --no-wildcards-match-slash "${patterns[@]}"
}

build_modules() {
  local source=$folder/drivers extra=$folder/image/lib/modules/$release/extra object
  # Also those that Kbuild generates, which its list of our own modules must not find.
  rm -f "$source"/*.[ch]
  cp -p "${drivers[@]}" "$source/"
  # The types of the running system's kernel (BTF) need its vmlinux, which Debian's headers do not have.
  nice make -s -j"$(nproc)" -C "$folder/headers/usr/src/linux-headers-$release" M="$source" CONFIG_DEBUG_INFO_BTF_MODULES= modules
  rm -rf "$extra"
  mkdir -p "$extra"
  while read -r object; do
    object=$(basename "${object%.*}").ko
    strip --strip-debug -o "$extra/$object" "$source/$object"
  done <"$source/modules.order"
  depmod -b "$folder/image" "$release"
}

build_base() {
  local image=$folder/image stage=$folder/base module file
  rm -rf "$stage"
  mkdir -p "$stage"/{bin,dev,etc,proc,run,sys,tmp}
  for module in "${modules[@]}" $(find "$image/lib/modules/$release/extra" -name '*.ko' -printf '%f\n' | sed 's/\.ko$//'); do
    modprobe -d "$image" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | sort -u | while read -r file; do
    install -D -m 644 "$file" "$stage/lib/${file#*/lib/}"
  done
  find "$stage/lib" -name '*.xz' -exec unxz {} +
  cp "$image/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$stage/lib/modules/$release/"
  depmod -b "$stage" "$release"
  install -m 755 "$(command -v busybox)" "$stage/bin/busybox"
  printf 'root:x:0:0::/:/bin/sh\nviewer:x:1000:1000::/:/bin/sh\n' >"$stage/etc/passwd"
  printf 'root:x:0:\nvideo:x:44:\nviewer:x:1000:\n' >"$stage/etc/group"
  (cd "$stage" && find . -print0 | cpio -0 -o -H newc --owner 0:0 --quiet) >"$folder/base.cpio.new"
  mv "$folder/base.cpio.new" "$folder/base.cpio"
  rm -rf "$stage"
}

mkdir -p "$work"
exec 8>"$work/kernel-$series.lock"
flock 8
resolve
# What the archive of modules is made from: this script and the drivers.
key=$(cat "$here/kernel.sh" "${drivers[@]}" | sha256sum)
if [ "$(cat "$folder/key" 2>/dev/null)" != "$key" ]; then
  if [ ! -e "$folder/unpacked" ]; then
    # Package lists that are older than the archive name packages that it no longer serves.
    fetch || { "$here/debian.sh" "$work/apt" apt-get -qq update && resolve && fetch; }
    unpack
  fi
  source_key=$(object_folders | sha256sum)
  if [ "$(cat "$folder/source-key" 2>/dev/null)" != "$source_key" ]; then
    extract_sources
    echo "$source_key" >"$folder/source-key"
  fi
  build_modules
  build_base
  echo "$key" >"$folder/key"
fi
ln -sfn "$release" "$work/kernel-$series"
