#!/usr/bin/env bash
# Unpacks Debian packages, and what they depend on, into a private root: for another architecture or of another release than the host's.
# apt's state, cache and package database are private too: the host's own packages and foreign architectures stay as they are.
#   tests/debian-root.sh ARCHITECTURE CODENAME DIR PACKAGE...
# CODENAME is a Debian release, fetched from where apt fetches the host's own. A DIR that has these packages is left as it is; remove it to
# fetch newer ones.
set -euo pipefail
architecture=$1 codename=$2 root=$(realpath -m "$3")
shift 3
packages=("$@")
apt=$root.apt
fail() { echo "debian-root.sh: $1" >&2; exit 1; }

# Written last: a root without it is incomplete.
stamp=$root/packages
if [ "$(cat "$stamp" 2>/dev/null)" = "$architecture $codename: ${packages[*]}" ]; then exit 0; fi

rm -rf "$root" "$apt"
trap 'rm -rf "$apt"' EXIT
mkdir -p "$root" "$apt/state/lists/partial" "$apt/archives/partial"
: >"$apt/status"
# Only the sources and how they are reached come from the host; hooks of its own would act on its own cache.
cat >"$apt/apt.conf" <<CONF
#clear APT::Architectures;
#clear APT::Default-Release;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Log "$apt";
CONF

own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$codename" != "$own" ]; then
  targets() { apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' "$@"; }
  # What apt has not fetched yet has no origin.
  found=$(targets 'Origin: Debian')
  [ -n "$found" ] || found=$(targets)
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  while read -r suite uri component; do
    case $suite in
      "$own" | "$own-updates" | "$own-security") echo "deb [signed-by=$keys] $uri $codename${suite#"$own"} $component" ;;
    esac
  done <<<"$found" >"$apt/sources.list"
  [ -s "$apt/sources.list" ] || fail "apt's sources name no archive of '$own' from which '$codename' could be fetched too"
  echo "Dir::Etc::SourceList \"$apt/sources.list\"; Dir::Etc::SourceParts \"/dev/null\";" >>"$apt/apt.conf"
fi

echo "Fetching ${packages[*]} of $codename for $architecture ..."
quietly() { "$@" >"$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }; }
quietly apt-get -c "$apt/apt.conf" update -q
quietly apt-get -c "$apt/apt.conf" install -q -y --no-install-recommends --download-only "${packages[@]}"
printf '%s\0' "$apt"/archives/*.deb | xargs -0 -P "$(nproc)" -I{} dpkg-deb -x {} "$root"
# From Debian 13 on /lib is a link of base-files, on which no library depends.
[ -e "$root/lib" ] || ln -s usr/lib "$root/lib"
# Fonts, documents and translations; a library reads none of them to be loaded.
rm -rf "$root/usr/share" "$root/etc"
echo "$architecture $codename: ${packages[*]}" >"$stamp"
echo "$root: $(du -sh "$root" | cut -f 1)"
