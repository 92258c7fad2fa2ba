#!/usr/bin/env bash
# Installs the packages of Debian 12, Debian 13 or Ubuntu 24.04 that building MoCo++ needs and this
# machine lacks. LibTorch is not among them: the first build fetches it.
#
#   ./tools/setup.sh
#
# If nothing is missing, the script changes nothing, and needs neither root nor a network.
#
# Exit codes:
#   0  everything is installed
#   1  apt-get failed; what it said is above the last line
#   2  bad usage
#   3  another system; what to install by hand is listed
#   4  something is missing, and the script has neither root nor sudo to install it
set -euo pipefail

PACKAGES=(
  # Bazel 4.2.3, and the rules that it asks for in every workspace.
  bazel-bootstrap bazel-rules-java bazel-rules-proto
  g++
  # Fetches LibTorch.
  python3 python3-pip
  # Fuzzes the readers of files.
  clang libclang-rt-dev
  # Injects faults into system calls, in a test.
  strace
  # Takes what belongs to the build tree out of a bundle's programs.
  patchelf
  # Opens the programs' pages, in tests.
  chromium
  # The libraries of third_party/system_libraries.bzl.
  libabsl-dev
  libdeflate-dev
  libfaiss-dev
  libgflags-dev
  libgif-dev
  libgmock-dev
  libgoogle-glog-dev
  libgtest-dev
  libisal-dev
  libjpeg-dev
  libonnx-dev
  libopencv-core-dev
  libopencv-imgproc-dev
  libopenjp2-7-dev
  libpng-dev
  libprotobuf-dev
  libtiff-dev
  libturbojpeg0-dev
  libwebp-dev
  protobuf-compiler
  zlib1g-dev
  nlohmann-json3-dev
  # Knows how the installed releases of the libraries are linked.
  pkgconf
)

# Their names are the same on each of these, which all have Bazel 4.2.3.
SYSTEMS=("debian 12 x86_64" "debian 13 x86_64" "ubuntu 24.04 x86_64")

fail() {
  local code=$1
  shift
  echo "error: $*" >&2
  exit "$code"
}

if (($# > 0)); then
  sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"
  [[ $1 == -h || $1 == --help ]] && exit 0
  fail 2 "tools/setup.sh takes no arguments, '$1' was given"
fi

# OS_RELEASE is for the test of this script.
# shellcheck source=/dev/null
system=$(. "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID-} ${VERSION_ID-}") || system=$(uname -s)
system+=" $(uname -m)"
if ! printf '%s\n' "${SYSTEMS[@]}" | grep -qxF "$system"; then
  supported="Debian 12, Debian 13 or Ubuntu 24.04 on x86_64"
  echo "MoCo++ is built on $supported; this is $system, so nothing is installed."
  echo "Install the contents of these Debian packages:"
  printf '  %s\n' "${PACKAGES[@]}"
  fail 3 "not $supported but $system; install the packages listed above by hand"
fi

missing=()
for package in "${PACKAGES[@]}"; do
  # "ii": wanted and installed. "iU" and the like: unpacked, but its installation did not end.
  [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "Every Debian package that MoCo++ needs is installed."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    fail 4 "not root, and there is no sudo; have an administrator run: apt-get install --no-install-recommends ${missing[*]}"
  as_root=(sudo)
fi

echo "Installing ${#missing[@]} Debian packages with ${as_root[*]:+${as_root[*]} }apt-get: ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
apt_get update ||
  fail 1 "apt-get could not read the package lists; check the network and apt's sources, then run ./tools/setup.sh again"
apt_get install --yes --no-install-recommends "${missing[@]}" ||
  fail 1 "apt-get could not install the packages; see what it says above, then run ./tools/setup.sh again"
echo "Installed. Every Debian package that MoCo++ needs is there."
