#!/usr/bin/env bash
# What it costs to choose labels, against the number of images: a line each, as the table of README.md has it.
# $1, $2: make_features and select_labels; the rest: STRATEGY IMAGES... (a fortieth of them is chosen).
set -euo pipefail

make=$1 select=$2 strategy=$3
shift 3
cd "$(mktemp -d)"
trap 'rm -r "$PWD"' EXIT
for images; do
  "$make" features.npy --images="$images"
  "$select" features.npy --budget=$((images / 40)) --strategy="$strategy" --out="$images.csv" >out
  echo "$images $strategy: $(sed -n 's/^chosen.*); //p' out); $(sed -n 's/^neighbours  *[0-9]* of each image; //p' out)"
done
