#!/usr/bin/env bash
# Runs apt-get or apt-cache on package lists of the tests' own, which hold Debian 12 with its security updates and backports. They come
# from the mirrors that this machine's apt is set up with; the machine's own lists and packages are left alone.
#   debian.sh FOLDER apt-get|apt-cache ARGUMENT...      FOLDER keeps the lists; they are fetched if there are none
set -euo pipefail
folder=$(realpath -m "$1") tool=$2
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The address that apt's lists with this label in their Release file come from.
mirror() {
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$1 \([^ ]*\)$/\1/p" | head -1
}

apt() { # tool, argument...
  local tool=$1
  shift
  "$tool" -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3 \
    -o Dir::State="$folder" -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" \
    -o Dir::Cache="$folder" -o Dir::Cache::archives="$folder/archives" -o Dir::Cache::pkgcache="$folder/pkgcache.bin" \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$folder/sources" "$@"
}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if [ ! -e "$folder/complete" ]; then
  if [ -z "$(mirror Debian)" ] || [ -z "$(mirror Debian-Security)" ]; then
    apt-get -qq update
  fi
  main=$(mirror Debian)
  security=$(mirror Debian-Security)
  if [ -z "$main" ] || [ -z "$security" ]; then
    echo "debian.sh: apt is not set up with a mirror of Debian and one of its security updates" >&2
    exit 1
  fi
  mkdir -p "$folder"/{lists,archives}/partial "$folder/sources"
  : >"$folder/status"
  options="[arch=amd64 signed-by=$keyring]"
  printf 'deb %s main\n' "$options $main bookworm" "$options $main bookworm-updates" "$options $main bookworm-backports" \
    "$options $security bookworm-security" >"$folder/sources/debian.list"
  apt apt-get -qq update
  touch "$folder/complete"
fi
flock -u 9
apt "$tool" "$@"
