#!/usr/bin/env bash
# Tries this tree on another system, from nothing: a folder with that system's packages, in which the command runs. It
# needs root, debootstrap and a mirror of Debian, and is no part of .ci/run; CONTRIBUTING.md has the last results.
#
#   tools/systems.sh debian13 [COMMAND...]    Debian 13: tools/setup.sh, then COMMAND
#   tools/systems.sh bazel7 [COMMAND...]      Debian unstable, which has Bazel 7: the same packages, then COMMAND
#
# COMMAND, by default `bazel test //...`, runs in a copy of the tracked files. LibTorch's wheels are those of this
# machine's cache. Everything else is gone at the end: the mounts and processes with their name spaces, the folder after
# them. MIRROR names another mirror than the first of this machine's, TMPDIR another place for the folder (10 GB).
set -euo pipefail

PATH+=:/usr/sbin:/sbin

fail() {
  echo "error: $*" >&2
  exit 1
}

usage() { sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; }

# Runs in name spaces of its own: prepares the folder $1 with the release $2, and runs the command in it.
inside() {
  local root=$1 release=$2
  shift 2
  debootstrap --variant=minbase "$release" "$root" "$MIRROR"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sys "$root/sys"
  # A /dev of its own: nobody may ever remove the machine's through this folder.
  mount -t tmpfs dev "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/shm"
  mount -t tmpfs shm "$root/dev/shm"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  # Unstable's list of packages may be older than it says that it may be.
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99systems"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # starts no services
  chmod +x "$root/usr/sbin/policy-rc.d"
  local wheels cache=${XDG_CACHE_HOME:-$HOME/.cache}/mocopp
  for wheels in "$cache"/wheels-????????????????; do
    [[ -d $wheels ]] || continue
    mkdir -p "$root/root/.cache/mocopp/${wheels##*/}"
    mount --bind -o ro "$wheels" "$root/root/.cache/mocopp/${wheels##*/}"
  done
  mkdir "$root/mocopp"
  git ls-files -z | tar --create --null --files-from=- --ignore-failed-read | tar --extract -C "$root/mocopp"
  # A script for the shell inside; the packages of an unknown system are those that setup.sh lists.
  cat >"$root/inside.sh" <<'INSIDE'
set -euo pipefail
cd /mocopp
if ./tools/setup.sh >/tmp/setup.log 2>&1; then
  tail -n 1 /tmp/setup.log
else
  apt-get -q update
  mapfile -t packages < <(sed -n 's/^  //p' /tmp/setup.log)
  (( ${#packages[@]} > 0 )) || { cat /tmp/setup.log; exit 1; }
  for i in "${!packages[@]}"; do
    apt-cache show "${packages[$i]}" >/dev/null 2>&1 && continue
    echo "no package ${packages[$i]} here"
    unset "packages[$i]"
  done
  DEBIAN_FRONTEND=noninteractive apt-get -q install --yes --no-install-recommends "${packages[@]}"
fi
# This Bazel is the program itself, which does not look for tools/bazel.
if [[ $(bazel --version) =~ ^bazel\ ([0-9]+)\. ]] && ((BASH_REMATCH[1] >= 6)); then
  cat tools/no_modules.bazelrc >>~/.bazelrc
fi
. /etc/os-release
echo "$PRETTY_NAME; $(bazel --version); $(g++ --version | head -n 1); $(pkg-config --modversion absl_strings) is Abseil's"
exec "$@"
INSIDE
  local code=0
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM="${TERM-dumb}" \
    http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" no_proxy="${no_proxy-}" \
    bash /inside.sh "$@" || code=$?
  return $code
}

case ${1-} in
  --inside)
    shift
    inside "$@"
    exit
    ;;
  debian13) release=trixie ;;
  bazel7) release=sid ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
shift
(($# > 0)) || set -- bazel test //...

((EUID == 0)) || fail "a chroot needs root"
command -v debootstrap >/dev/null || fail "debootstrap is missing; install the Debian package of this name"
self=$(realpath "$0")
cd "$(dirname "$self")/.."
if [[ -z ${MIRROR-} ]]; then
  MIRROR=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -oE '^(URIs:|deb) *(\[[^]]*\] *)?[a-z+]+://[^ ]+/debian/?( |$)' | grep -oE '[a-z+]+://[^ ]+' | head -n 1) || true
  [[ -n $MIRROR ]] || fail "no mirror of Debian in apt's sources; name one: MIRROR=http://... $0"
fi
export MIRROR

root=$(mktemp -d "${TMPDIR:-/tmp}/mocopp-system-XXXXXX")
chmod 755 "$root" # apt reads it as another user
# The name spaces end with their first process, and with them all processes and mounts in them.
remove() {
  if grep -q " $root" /proc/mounts; then
    echo "error: $root still has mounts; unmount them, then remove it" >&2
  else
    rm -rf --one-file-system "$root"
  fi
}
trap remove EXIT
unshare --mount --pid --fork --kill-child --propagation private "$self" --inside "$root" "$release" "$@"
