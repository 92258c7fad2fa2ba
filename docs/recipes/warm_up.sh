#!/usr/bin/env bash
# Does a start from an encoder help? Computes the table of docs/encoders.md on the demo's images.
#
#   docs/recipes/warm_up.sh FOLDER
#
# One encoder is trained from random weights, for EPOCHS epochs. Then, for each of SEEDS, others are trained: from random
# weights for as many epochs, and for twice as many; and from the first encoder, with the demo's learning rate and with a
# tenth of it. The table has the kNN accuracy of the last epoch. Runs that FOLDER already contains are not made again.
set -euo pipefail
. "$(dirname "$0")/program.sh"

mkdir -p "$1"
folder=$(realpath "$1")
SEEDS=${SEEDS:-1 2 3} EPOCHS=${EPOCHS:-3} THREADS=${THREADS:-0}
ARCH=resnet_small:width=16,blocks=1,stages=3,stem=imagenet

# train NAME EPOCHS FLAG...: trains in FOLDER/NAME, unless that is done.
train() {
  local run=$folder/$1 epochs=$2
  [[ -e $run/report.html ]] && return
  program moco:pretrain --preset=demo --arch="$ARCH" --epochs="$epochs" --knn-every="$epochs" \
    --threads="$THREADS" --run-dir="$run" "${@:3}"
}

train first "$EPOCHS" --seed=100
for seed in $SEEDS; do
  train "drawn_$seed" "$EPOCHS" --seed="$seed"
  train "drawn_twice_$seed" $((2 * EPOCHS)) --seed="$seed"
  train "init_$seed" "$EPOCHS" --seed="$seed" --init="$folder/first"
  train "init_tenth_$seed" "$EPOCHS" --seed="$seed" --init="$folder/first" --lr=0.006
done

# accuracy NAME: in percent, after the last epoch.
accuracy() {
  sed -nE 's/.*"knn": ?([0-9.e-]+).*/\1/p' "$folder/$1/metrics.jsonl" | awk '{ x = 100 * $1 } END { print x }'
}

row() {
  local name=$1 what=$2
  for seed in $SEEDS; do accuracy "${name}_$seed"; done | awk -v what="$what" '
    { x = $1; sum += x; if (NR == 1 || x < low) low = x; if (NR == 1 || x > high) high = x }
    END { printf "| %s | %.1f %% | %.1f to %.1f |\n", what, sum / NR, low, high }'
}

echo "The first encoder: $(accuracy first) %"
echo "| start | kNN accuracy | least to most |"
echo "| --- | ---: | --- |"
row drawn "random weights, $EPOCHS epochs"
row drawn_twice "random weights, $((2 * EPOCHS)) epochs"
row init "the first encoder, $EPOCHS epochs"
row init_tenth "the first encoder, $EPOCHS epochs, a tenth of the learning rate"
