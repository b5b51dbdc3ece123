#!/bin/sh
# Installs the Holdfast agent from the folder that this script was unpacked into. May run any number of times.
#
#   ./install.sh [--reload] [--no-start]
#
#   --reload     a running agent is replaced by this version; services run on
#   --no-start   only put the files there
#
# DESTDIR=FOLDER installs below FOLDER and leaves systemd alone. HOLDFAST_NODE names the Node to use.
set -eu

NODE_LEAST=24

die() {
  echo "install.sh: $*" >&2
  exit 1
}

note() { echo "install.sh: $*"; }

reload=no
start=yes
for option in "$@"; do
  case "$option" in
  --reload) reload=yes ;;
  --no-start) start=no ;;
  *) die "unknown option $option; known are --reload and --no-start" ;;
  esac
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${DESTDIR:-}
prefix=$root/opt/holdfast

[ -n "$root" ] || [ "$(id -u)" = 0 ] || die "must be run as root"
[ -r "$here/VERSION" ] || die "$here/VERSION is missing: unpack the whole archive"
version=$(cat "$here/VERSION")
case "$version" in
'' | *[!0-9A-Za-z.+-]* | .*) die "VERSION says \"$version\", which is no version" ;;
esac
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) ||
  die "the files are not those that were packed: fetch the archive again"

# Prints the path of a Node that is new enough.
find_node() {
  for candidate in "${HOLDFAST_NODE:-}" node node-$NODE_LEAST nodejs; do
    [ -n "$candidate" ] || continue
    path=$(command -v "$candidate" 2>/dev/null) || continue
    major=$("$path" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || continue
    case "$major" in
    '' | *[!0-9]*) continue ;;
    esac
    if [ "$major" -ge "$NODE_LEAST" ]; then
      readlink -f -- "$path"
      return 0
    fi
  done
  return 1
}

install_node() {
  if command -v dnf >/dev/null 2>&1; then
    note "installing nodejs$NODE_LEAST by dnf"
    dnf install -y "nodejs$NODE_LEAST"
  elif command -v apt-get >/dev/null 2>&1; then
    apt-get update -q
    offered=$(apt-cache policy nodejs | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9][0-9]*\)\..*/\2/p')
    [ "${offered:-0}" -ge "$NODE_LEAST" ] || return 1
    note "installing nodejs by apt"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q nodejs
  else
    return 1
  fi
}

if ! node=$(find_node); then
  [ -z "$root" ] || die "no Node $NODE_LEAST or later here: name one by HOLDFAST_NODE"
  install_node || true
  node=$(find_node) ||
    die "no Node $NODE_LEAST or later, and no package of it: install it (https://nodejs.org), or name it by HOLDFAST_NODE"
fi

# Puts a link in place of an older one in one step: a guard may start another agent at any moment.
link() {
  ln -sfn -- "$1" "$2.new"
  mv -fT -- "$2.new" "$2"
}

mkdir -p -- "$prefix" "$root/etc/systemd/system" "$root/usr/local/bin"
before=$(readlink -- "$prefix/current" 2>/dev/null || true)
if ! cmp -s -- "$here/SHA256SUMS" "$prefix/$version/SHA256SUMS"; then
  rm -rf -- "$prefix/$version.new"
  mkdir -- "$prefix/$version.new"
  cp -R -- "$here/." "$prefix/$version.new/"
  rm -rf -- "${prefix:?}/$version"
  mv -- "$prefix/$version.new" "$prefix/$version"
fi
link "$node" "$prefix/node"
link "$version" "$prefix/current"
link /opt/holdfast/current/bin/holdfast-agent "$root/usr/local/bin/holdfast-agent"

# The version before stays, to go back to: `ln -sfn VERSION current`. A second run of the same version does not know which
# that is, and removes nothing.
if [ "$before" != "$version" ] && [ -n "$before" ] && [ -d "$prefix/$before" ]; then
  for old in "$prefix"/*/; do
    name=$(basename -- "$old")
    case "$name" in
    current | "$version" | "$before") ;;
    *) rm -rf -- "${prefix:?}/$name" ;;
    esac
  done
fi

mkdir -p -- "$root/etc/holdfast"
chmod 0700 -- "$root/etc/holdfast"
cp -- "$here/host.yaml.example" "$root/etc/holdfast/host.yaml.example"
cp -- "$here/systemd/holdfast.service" "$root/etc/systemd/system/holdfast.service"
note "$version is installed, with $("$node" --version) from $node"

[ -z "$root" ] || exit 0
if command -v restorecon >/dev/null 2>&1; then restorecon -R "$prefix" || true; fi
[ -d /run/systemd/system ] || die "systemd does not run here: start \"holdfast-agent configure\", then \"run\", by your init"
systemctl daemon-reload
[ "$start" = yes ] || exit 0
systemctl enable --quiet holdfast.service

if [ ! -e /etc/holdfast/host.yaml ] && [ ! -e /etc/holdfast/host.json ]; then
  note "write /etc/holdfast/host.yaml (see host.yaml.example there), then: systemctl start holdfast"
elif ! systemctl is-active --quiet holdfast.service; then
  systemctl start holdfast.service
  note "started"
elif [ "$before" != "$version" ]; then
  if [ "$reload" = yes ]; then
    systemctl reload holdfast.service
    note "the agent is replaced; the guard follows at the next restart, which drains this host"
  else
    note "the version before runs on: systemctl reload holdfast replaces the agent, restart (after a drain) the guard, too"
  fi
fi
