#!/usr/bin/env bash
# Makes a private certificate authority, and with it a certificate for the broker and one for each camera that is to have one.
#   deploy/make-certificates.sh DIRECTORY BROKER [CAMERA ...]
# BROKER is the name or address that stands in mqtt.host, CAMERA an mqtt.device. A second run keeps the authority and adds what is missing.
# Each NAME.pem goes with its NAME.key; ca.key stays here, in a safe place.
set -euo pipefail
umask 077

if [ $# -lt 2 ]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
directory=$1
broker=$2
shift 2
days=3650

mkdir -p "$directory"
cd "$directory"

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# issue FILE COMMON_NAME SUBJECT_ALTERNATIVE_NAME EXTENDED_KEY_USAGE
issue() {
  if [ -e "$1.pem" ]; then
    echo "make-certificates.sh: $directory/$1.pem is there already; it is kept" >&2
    return
  fi
  make_key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$2" |
    openssl x509 -req -days $days -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -out "$1.pem" \
      -extfile <(printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s\nextendedKeyUsage=%s\n' "$3" "$4") 2>/dev/null
}

if [ ! -e ca.pem ]; then
  make_key ca
  openssl req -x509 -new -key ca.key -subj '/CN=camera-agent home' -days $days -out ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
fi

case $broker in
  *[!0-9.]*) kind=DNS; case $broker in *:*) kind=IP ;; esac ;;
  *) kind=IP ;;
esac
issue broker "$broker" "$kind:$broker" serverAuth
for camera in "$@"; do
  case $camera in *[!A-Za-z0-9_-]*) echo "make-certificates.sh: '$camera' cannot be an mqtt.device" >&2; exit 2 ;; esac
  issue "$camera" "$camera" "DNS:$camera" clientAuth
done
chmod 644 ./*.pem
