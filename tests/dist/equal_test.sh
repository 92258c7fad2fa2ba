#!/bin/bash
# 1, 2 and 4 ranks compute the same: images, crops, keys, losses, and in the end weights, in float64.
same_weights=$PWD/tests/dist/same_weights
. tests/dist/lib.sh

unpack data 32
run=(data/train "${small[@]}" --precision=fp64 --moco-k=240 --epochs=5) # 64 does not divide 240

# compare NAME ARGUMENT...: the losses of 20 steps.
compare() {
  for ranks in 1 2 4; do
    on $ranks "${run[@]}" --bn-splits=$((4 / ranks)) "${@:2}" --run-dir="$1$ranks"
  done
  for ranks in 2 4; do
    same_losses "${1}1" "$1$ranks"
    "$same_weights" {"${1}1","$1$ranks"}/checkpoints/checkpoint_0004.pth.tar || fail "weights of $1 on $ranks ranks"
  done
}
compare exchange
compare deal --shuffle-keys=deal
compare symmetric --symmetric --shuffle-keys=exchange

# Whether the test can tell: other groups of the batch's statistics are other losses.
on 2 "${run[@]}" --bn-splits=1 --run-dir=others
(same_losses exchange1 others) > /dev/null && fail "other groups have the same losses"
"$same_weights" {exchange1,others}/checkpoints/checkpoint_0004.pth.tar 2> /dev/null && fail "other groups, the same weights"
same_losses exchange1 deal1
echo PASSED
