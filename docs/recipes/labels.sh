#!/usr/bin/env bash
# From images without labels to a classifier with more of them: docs/recipes/labels.md, on generated data.
#
#   docs/recipes/labels.sh FOLDER
#
# makes FOLDER: data/ in the form of Deep-Learning-SSL-MoCo-SP21, out of the images that come along,
# and run/, before/, after/ of pretraining and of the two classifiers. What people would answer is
# known here, so nobody is asked. Variables: IMAGES without labels, TRAIN and VAL with, BUDGET to
# label, EPOCHS, THREADS that compute (0: one for each core), and PROGRAMS, a folder with the built
# programs in place of `bazel run`.
set -euo pipefail
. "$(dirname "$0")/program.sh"

mkdir "$1"
folder=$(realpath "$1")
data=$folder/data
IMAGES=${IMAGES:-4000} TRAIN=${TRAIN:-200} VAL=${VAL:-1000} BUDGET=${BUDGET:-400}
EPOCHS=${EPOCHS:-20} THREADS=${THREADS:-0}

# ---- The data -------------------------------------------------------------------------------------
# The demo's JPEG files under the names that this form has: what a file holds counts, not its name.

demo=${PROGRAMS:-$(git -C "$(dirname "$0")" rev-parse --show-toplevel)}/data/demo
mkdir -p "$folder/demo/train" "$folder/demo/test" "$data"/{unlabeled,train,val}
for split in train test; do
  for archive in "$demo/$split"/*.tar; do tar xf "$archive" -C "$folder/demo/$split"; done
done
ls "$folder/demo/train" > "$folder/classes.txt"

# number FROM TO SPLIT: images FROM to TO of a list of class/name, classes mixed, as SPLIT/0.png, ...;
# prints file,label.
number() {
  local i=0
  sed -n "$1,$2p" | while read -r image; do
    cp "$folder/demo/$image" "$data/$3/$i.png"
    class=${image#*/}
    echo "$i.png,${class%/*}"
    i=$((i + 1))
  done
}

# mixed SPLIT: its images, in an order that is the same everywhere.
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

# ---- Pretraining, and a classifier on the labels that are there --------------------------------

program moco:pretrain "$data" --preset=demo --epochs="$EPOCHS" --threads="$THREADS" --run-dir="$folder/run"
classifier=(--pretrained="$folder/run" --batch-size=20 --lr=0.01 --epochs=40 --schedule='24 32'
  --threads="$THREADS")
program lincls:lincls "$data" "${classifier[@]}" --run-dir="$folder/before"

# ---- Which images to label --------------------------------------------------------------------------

program lincls:features "$data" --split=pretraining --pretrained="$folder/run" --threads="$THREADS"
program tools:select_labels "$folder/run/features/pretraining" --budget="$BUDGET" \
  --page="$folder/request_01.html"

# ---- The labels come back ---------------------------------------------------------------------------
# data/request_01.csv goes to people; request_01.html shows it to whoever pays for them.

awk -F, 'NR == FNR { label[$1] = $2; next } FNR > 1 { print $1 "," label[$1] }' \
  "$folder/truth.csv" "$data/request_01.csv" > "$folder/answers.csv"
program tools:labels "$data/request_01.csv" "$folder/answers.csv" --classes="$folder/classes.txt"

# ---- The same classifier, with the new labels beside the old -----------------------------------------

program lincls:lincls "$data" "${classifier[@]}" --run-dir="$folder/after"
