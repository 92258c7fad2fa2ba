#!/bin/bash
# zip 3.0-13+deb12u1 of Debian 12: `zip -s 0` joins the parts of an archive, but of a file that lies in three or more parts it
# leaves out the parts in the middle. It reports success, and the joined archive cannot be unpacked.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download zip=3.0-13+deb12u1 unzip=6.0-28+deb12u1
for package in ./*.deb; do dpkg -x "$package" tools; done
zip=$work/tools/usr/bin/zip unzip=$work/tools/usr/bin/unzip
for size in 100000 300000; do
  head -c "$size" /dev/urandom > file.bin
  "$zip" -q -s 64k "$size.zip" file.bin
  parts=("$size".z*)
  "$zip" -q -s 0 "$size.zip" --out "joined$size.zip"  # set -e: it has succeeded
  said=$("$unzip" -tq "joined$size.zip" 2>&1) && code=0 || code=$?
  bytes=$(stat -c %s "joined$size.zip")
  echo "a file of $size bytes in ${#parts[@]} parts: zip -s 0 succeeds and writes $bytes bytes; unzip -t: exit code $code"
  case $size in
    100000) ((${#parts[@]} == 2 && code == 0 && bytes > size)) ;;
    300000) ((${#parts[@]} == 5 && code != 0 && bytes < size)) ;;
  esac
done
