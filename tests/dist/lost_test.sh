#!/bin/bash
# A rank is killed or stopped, rank 0 with the store among them: the others end, report which rank and at which step,
# and the run goes on from its newest checkpoint to the weights of an unbroken run.
. tests/dist/lib.sh
with_faults

unpack data 32
run=(data/train "${small[@]}" --batch-size=66 --epochs=6 --checkpoint-minutes=0.000001 --keep=2)
on 3 "${run[@]}" --run-dir=straight

# lose SIGNAL VICTIM RUN: in step 7.
lose() {
  local victim=$2 rank
  failing=$2 fault=$1:6 start 3 "${run[@]}" --run-dir="$3"
  for rank in 0 1 2; do
    [ $rank -eq "$victim" ] && continue
    ended $rank 4 "^error: .*rank $victim of 3.* is lost: .* at step [0-9]*; "
  done
  kill -KILL "${pids[victim]}" 2> /dev/null
  wait "${pids[victim]}"
  on 3 --resume="$3"
  grep -q '^resumed  from' out || fail "$(cat out)"
  cmp {straight,"$3"}/checkpoints/checkpoint_0005.pth.tar || fail "other weights"
}

# On a crowded machine a rank may get no time for a second, and be taken for lost, too: it must be right once in three
# tries.
for case in KILL:2 STOP:2 KILL:0 STOP:0; do
  for try in 1 2 3; do
    (
      trap 'kill -KILL $(jobs -p) 2> /dev/null' EXIT
      lose ${case%:*} ${case#*:} lost${case/:/}_$try
    ) && continue 2
  done
  fail "$case: not once in three tries"
done
echo PASSED
