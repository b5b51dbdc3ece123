#!/bin/sh
# Removes the Holdfast agent. Stopping it drains the host: its slots move, or stop if there is no other place.
#
#   ./uninstall.sh [--purge]     --purge removes /etc/holdfast and /var/lib/holdfast as well
#
# DESTDIR=FOLDER removes what was installed below FOLDER.
set -eu

purge=no
for option in "$@"; do
  case "$option" in
  --purge) purge=yes ;;
  *)
    echo "uninstall.sh: unknown option $option; known is --purge" >&2
    exit 1
    ;;
  esac
done

root=${DESTDIR:-}
if [ -z "$root" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "uninstall.sh: must be run as root" >&2
    exit 1
  fi
  if [ -d /run/systemd/system ] && [ -e /etc/systemd/system/holdfast.service ]; then
    systemctl disable --quiet --now holdfast.service
  fi
fi

rm -f -- "$root/etc/systemd/system/holdfast.service" "$root/usr/local/bin/holdfast-agent"
rm -rf -- "$root/opt/holdfast"
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$purge" = yes ]; then
  rm -rf -- "$root/etc/holdfast" "$root/var/lib/holdfast" "$root/run/holdfast"
else
  echo "uninstall.sh: /etc/holdfast and /var/lib/holdfast stay; --purge removes them"
fi
