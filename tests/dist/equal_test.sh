#!/bin/bash
# 1, 2 and 4 ranks compute the same: images, crops, keys, losses, and in the end weights, in float64.
same_weights=$PWD/tests/dist/same_weights
. tests/dist/lib.sh

unpack data 32
run=(data/train "${small[@]}" --precision=fp64 --moco-k=240 --epochs=4) # 64 does not divide 240

# compute NAME RANKS ARGUMENT...: 20 steps, with four groups of batch norm in all.
compute() { on "$2" "${run[@]}" --bn-splits=$((4 / $2)) "${@:3}" --run-dir="$1$2"; }

# equal RUN RUN
equal() {
  same_losses "$1" "$2"
  "$same_weights" {"$1","$2"}/checkpoints/checkpoint_0003.pth.tar || fail "weights of $1 and $2"
}
compute exchange 1
for ranks in 2 4; do
  compute exchange $ranks
  equal exchange1 exchange$ranks
  compute deal $ranks --shuffle-keys=deal
  equal exchange1 deal$ranks
done
for ranks in 1 4; do compute symmetric $ranks --symmetric; done
equal symmetric1 symmetric4

# Whether the test can tell: other groups of the batch's statistics are other losses.
on 2 "${run[@]}" --bn-splits=1 --run-dir=others
(same_losses exchange1 others) > /dev/null && fail "other groups have the same losses"
"$same_weights" {exchange1,others}/checkpoints/checkpoint_0003.pth.tar 2> /dev/null && fail "other groups, the same weights"
echo PASSED
