#!/bin/bash
# 1, 2 and 4 ranks compute the same: images, crops, keys and losses, in float64.
. tests/dist/lib.sh

unpack data 32
run=(data/train "${small[@]}" --precision=fp64 --moco-k=240 --epochs=5) # 64 does not divide 240

# compare NAME ARGUMENT...: the losses of 20 steps.
compare() {
  for ranks in 1 2 4; do
    on $ranks "${run[@]}" --bn-splits=$((4 / ranks)) "${@:2}" --run-dir="$1$ranks"
  done
  same_losses "${1}1" "${1}2"
  same_losses "${1}1" "${1}4"
}
compare exchange
compare deal --shuffle-keys=deal
compare symmetric --symmetric --shuffle-keys=exchange

# Whether the test can tell: other groups of the batch's statistics are other losses.
on 2 "${run[@]}" --bn-splits=1 --run-dir=others
(same_losses exchange1 others) > /dev/null && fail "other groups have the same losses"
same_losses exchange1 deal1
echo PASSED
