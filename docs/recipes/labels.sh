#!/usr/bin/env bash
# From unlabelled images to a classifier with additional labels: docs/recipes/labels.md, on generated data.
#
#   docs/recipes/labels.sh FOLDER
#
# creates FOLDER, which contains data/ (the demo's images in the format of Deep-Learning-SSL-MoCo-SP21), run/
# (pretraining), before/ and after/ (the two classifiers). The labels are known here, so nobody has to label anything.
# Variables: IMAGES (number without labels), TRAIN and VAL (numbers with labels), BUDGET (number to label), EPOCHS,
# THREADS (compute threads; 0: one per core), and PROGRAMS (a folder with the built programs; empty: use `bazel run`).
set -euo pipefail
. "$(dirname "$0")/program.sh"

mkdir "$1"
folder=$(realpath "$1")
data=$folder/data
IMAGES=${IMAGES:-4000} TRAIN=${TRAIN:-200} VAL=${VAL:-1000} BUDGET=${BUDGET:-400}
EPOCHS=${EPOCHS:-20} THREADS=${THREADS:-0}

# ---- The data -------------------------------------------------------------------------------------
# The demo's JPEG files under the names of this format; the content of a file counts, not its name.

demo=${PROGRAMS:-$(git -C "$(dirname "$0")" rev-parse --show-toplevel)}/data/demo
mkdir -p "$folder/demo/train" "$folder/demo/test" "$data"/{unlabeled,train,val}
for split in train test; do
  for archive in "$demo/$split"/*.tar; do tar xf "$archive" -C "$folder/demo/$split"; done
done
ls "$folder/demo/train" > "$folder/classes.txt"

# number FROM TO SPLIT: copies images FROM to TO of a list of class/name to SPLIT/0.png, ..., and prints file,label.
number() {
  local i=0
  sed -n "$1,$2p" | while read -r image; do
    cp "$folder/demo/$image" "$data/$3/$i.png"
    class=${image#*/}
    echo "$i.png,${class%/*}"
    i=$((i + 1))
  done
}

# mixed SPLIT: lists its images with the classes mixed, in an order that is the same everywhere.
mixed() {
  (cd "$folder/demo" && printf '%s\n' "$1"/*/*) | awk '{ print (NR * 7919) % 10007, $0 }' | sort -n | cut -d' ' -f2
}

mixed train > "$folder/train.txt"
mixed test > "$folder/val.txt"
number 1 "$IMAGES" unlabeled < "$folder/train.txt" > "$folder/truth.csv"
number $((IMAGES + 1)) $((IMAGES + TRAIN)) train < "$folder/train.txt" > "$folder/train.csv"
number 1 "$VAL" val < "$folder/val.txt" > "$folder/val.csv"
for split in train val; do
  cut -d, -f1 "$folder/$split.csv" > "$folder/$split.txt"
  program tools:labels "$folder/$split.txt" "$folder/$split.csv" --classes="$folder/classes.txt" \
    --out="$data/${split}_label_tensor.pt" | tail -n 1
done
rm -r "$folder/demo"

# ---- Pretraining, and a classifier on the existing labels --------------------------------------------

program moco:pretrain "$data" --preset=demo --epochs="$EPOCHS" --threads="$THREADS" --run-dir="$folder/run"
classifier=(--pretrained="$folder/run" --batch-size=20 --lr=0.01 --epochs=40 --schedule='24 32'
  --threads="$THREADS")
program lincls:lincls "$data" "${classifier[@]}" --run-dir="$folder/before"

# ---- Which images to label --------------------------------------------------------------------------

program lincls:features "$data" --split=pretraining --pretrained="$folder/run" --threads="$THREADS"
program tools:select_labels "$folder/run/features/pretraining" --budget="$BUDGET" \
  --page="$folder/request_01.html"

# ---- The labels come back ---------------------------------------------------------------------------
# data/request_01.csv is for the people who label; request_01.html is for those who decide about the budget.

awk -F, 'NR == FNR { label[$1] = $2; next } FNR > 1 { print $1 "," label[$1] }' \
  "$folder/truth.csv" "$data/request_01.csv" > "$folder/answers.csv"
program tools:labels "$data/request_01.csv" "$folder/answers.csv" --classes="$folder/classes.txt"

# ---- The same classifier, with the old and the new labels --------------------------------------------

program lincls:lincls "$data" "${classifier[@]}" --run-dir="$folder/after"
