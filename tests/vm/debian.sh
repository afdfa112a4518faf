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
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$1 \([^ ]*\)$/\1/p" | sort -u | head -1
}

# Read after the machine's own configuration, whose proxies hold here too, but not what it does with the machine's lists and caches.
configure() {
  local main security options="[arch=amd64 signed-by=$keyring]"
  if [ -z "$(mirror Debian)" ]; then apt-get -qq update; fi
  main=$(mirror Debian) security=$(mirror Debian-Security)
  if [ -z "$main" ] || [ -z "$security" ]; then
    echo "debian.sh: apt is not set up with a mirror of Debian and one of its security updates" >&2
    exit 1
  fi
  rm -rf "$folder"/{lists,archives,sources}
  mkdir -p "$folder"/{lists,archives}/partial "$folder/sources"
  : >"$folder/status"
  printf 'deb %s main\n' "$options $main bookworm" "$options $main bookworm-updates" "$options $main bookworm-backports" \
    "$options $security bookworm-security" >"$folder/sources/debian.list"
  cat >"$folder/apt.conf" <<CONF
#clear APT::Architectures;
#clear APT::Update;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$folder";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder";
Dir::Cache::archives "$folder/archives";
Dir::Cache::pkgcache "$folder/pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$folder/sources";
CONF
  apt-get -c "$folder/apt.conf" -qq update
  touch "$folder/complete"
}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
[ -e "$folder/complete" ] || configure
flock -u 9
"$tool" -c "$folder/apt.conf" "$@"
