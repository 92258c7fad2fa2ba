#!/usr/bin/env bash
# Measures the cost of choosing labels for several numbers of images, and prints a line for each, as in the table of
# README.md. $1, $2: make_features and select_labels; the rest: STRATEGY IMAGES... (a fortieth of the images is chosen).
set -euo pipefail

make=$PWD/$1 select=$PWD/$2 strategy=$3
shift 3
unset BUILD_WORKING_DIRECTORY # paths are relative to this folder, not to the user's current one
cd "$(mktemp -d)"
trap 'rm -r "$PWD"' EXIT
TIMEFORMAT='%R s, %U + %S s of CPU'
for images; do
  "$make" features.npy --images="$images"
  { time "$select" features.npy --budget=$((images / 40)) --strategy="$strategy" --out="$images.csv" >out; } 2>spent
  sed 's/^/  /' out
  echo "$images $strategy: $(tail -n 1 spent)"
done
