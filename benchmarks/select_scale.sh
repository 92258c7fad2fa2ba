#!/usr/bin/env bash
# What it costs to choose labels, against the number of images: a line each, as the table of README.md has it.
# $1, $2: make_features and select_labels; the rest: STRATEGY IMAGES... (a fortieth of them is chosen).
set -euo pipefail

make=$PWD/$1 select=$PWD/$2 strategy=$3
shift 3
unset BUILD_WORKING_DIRECTORY # paths are relative to this folder, not to where a person stands
cd "$(mktemp -d)"
trap 'rm -r "$PWD"' EXIT
TIMEFORMAT='%R s, %U + %S s of CPU'
for images; do
  "$make" features.npy --images="$images"
  { time "$select" features.npy --budget=$((images / 40)) --strategy="$strategy" --out="$images.csv" >out; } 2>spent
  sed 's/^/  /' out
  echo "$images $strategy: $(tail -n 1 spent)"
done
