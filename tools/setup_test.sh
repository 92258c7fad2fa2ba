#!/usr/bin/env bash
# tools/setup.sh with a fake dpkg-query, apt-get and sudo: what it asks of them, and what a person reads.
set -uo pipefail

setup=$PWD/tools/setup.sh
libraries=$PWD/third_party/system_libraries.bzl
cd "$TEST_TMPDIR" || exit 1
failures=0
check() {  # check WHAT COMMAND...: the command succeeds
  local what=$1
  shift
  "$@" && return
  echo "FAILED: $what; setup.sh said: $(cat out)"
  failures=$((failures + 1))
}
# shellcheck disable=SC2317  # called by check
says() { grep -qF -- "$1" out; }
# shellcheck disable=SC2317
last_line_says() { tail -n 1 out | grep -qF -- "$1"; }

mkdir bin
# Every package is installed, but for those named in `missing` and, half installed, `half`.
cat >bin/dpkg-query <<'FAKE'
#!/bin/sh
for package; do :; done
grep -qx "$package" half && { echo "iU "; exit 0; }
grep -qx "$package" missing && exit 1
echo "ii "
FAKE
cat >bin/apt-get <<'FAKE'
#!/bin/sh
echo "$*" >>apt-get.calls
case "$*" in *"$(cat broken)"*) echo "E: something that apt-get says"; exit 100 ;; esac
FAKE
cat >bin/sudo <<'FAKE'
#!/bin/sh
exec "$@"
FAKE
chmod +x bin/*
printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian"\n' >debian12
printf 'ID=debian\nVERSION_ID="13"\n' >debian13
printf 'ID=ubuntu\nVERSION_ID="24.04"\n' >ubuntu2404
printf 'ID=ubuntu\nVERSION_ID="22.04"\n' >ubuntu2204
printf 'ID=debian\n' >unstable

run() {  # run OS MISSING HALF BROKEN: leaves the output in `out`, the exit code in $code
  echo "$2" >missing
  echo "$3" >half
  echo "$4" >broken
  : >apt-get.calls
  PATH=$PWD/bin:$PATH OS_RELEASE=$PWD/$1 "$setup" >out 2>&1
  code=$?
}

for system in debian12 debian13 ubuntu2404; do
  run $system none none nothing
  check "$system, all there: exit 0" test $code -eq 0
  check "$system, all there: one line" test "$(wc -l <out)" -eq 1
  check "$system, all there: apt-get is not called" test ! -s apt-get.calls
done

run debian12 zlib1g-dev g++ nothing
check "two missing: exit 0" test $code -eq 0
check "two missing: named" says "2 Debian packages"
check "two missing: the lists are read first" grep -q 'update$' apt-get.calls
check "two missing: just they are installed" grep -q -- '--no-install-recommends g++ zlib1g-dev$' apt-get.calls

run debian12 zlib1g-dev none update
check "no lists: exit 1" test $code -eq 1
check "no lists: last line" last_line_says "error: apt-get could not read the package lists"
run debian12 zlib1g-dev none install
check "not installed: exit 1" test $code -eq 1
check "not installed: last line" last_line_says "error: apt-get could not install the packages"

for system in ubuntu2204 unstable no-such-file; do
  run $system zlib1g-dev none nothing
  check "$system: exit 3" test $code -eq 3
  check "$system: apt-get is not called" test ! -s apt-get.calls
  check "$system: last line" last_line_says "Ubuntu 24.04"
done
# The list is there, and it has what the rules of third_party ask for.
packages=$(sed -n 's/.*package = "\(.*\)".*/\1/p' "$libraries")
check "packages of system_libraries.bzl found" test "$(wc -w <<<"$packages")" -gt 8
for package in $packages; do
  check "$package of third_party/system_libraries.bzl is in tools/setup.sh" grep -qx "  $package" out
done

"$setup" --zlib >out 2>&1
check "an argument: exit 2" test $? -eq 2
exit $((failures > 0))
