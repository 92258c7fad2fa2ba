#!/bin/bash
# A rank that is killed or stopped, rank 0 with the store among them: the others end, say who and when, and the run
# goes on from its newest checkpoint. They end within 2 s, or of a stopped one 2 s after the timeout. Where there is much
# else to do, a process may get no time to, or be taken for lost, too: then 2 s are as many more as the machine is slower,
# and it must be right in one of three tries.
. tests/dist/lib.sh

# slower: how many percent of its CPU time a process takes by the clock; 100 where nothing else is to do.
slower() {
  local TIMEFORMAT='%R %U %S'
  { time for ((i = 0; i < 200000; ++i)); do :; done; } 2>&1 | awk '{ printf "%d", 100 * $1 / ($2 + $3) }'
}

unpack data 32
run=(data/train "${small[@]}" --batch-size=66 --checkpoint-minutes=0.000001 --keep=2)
on 3 "${run[@]}" --epochs=15 --run-dir=straight

# lose SIGNAL VICTIM RUN: true when the others have ended in time, and all is as it must be.
lose() {
  trap 'kill -KILL $(jobs -p) 2> /dev/null' EXIT
  local signal=$1 victim=$2 lost=$3 began rank took limit
  start 3 "${run[@]}" --epochs=15 --run-dir=$lost
  steps $lost 6
  kill -"$signal" ${pids[victim]}
  began=$(date +%s%N)
  for rank in 0 1 2; do
    [ $rank -eq "$victim" ] && continue
    ended $rank 4 "^error: .*rank $victim of 3.* is lost: .* at step [0-9]*; go on from the newest checkpoint"
    took=$((($(date +%s%N) - began) / 1000000))
    echo "$signal of rank $victim: rank $rank has ended after $took ms"
  done
  kill -KILL ${pids[victim]} 2> /dev/null
  wait ${pids[victim]}
  limit=$((2000 * $(slower) / 100))
  [ $signal == STOP ] && limit=$((limit + 10000)) # the timeout
  # The metrics hold the losses of the steps up to the newest checkpoint, and so does a run that goes on.
  on 3 --resume=$lost --epochs=15
  grep -q '^resumed  from' out || fail "$(cat out)"
  cmp straight/checkpoints/checkpoint_0014.pth.tar $lost/checkpoints/checkpoint_0014.pth.tar || fail "other weights"
  [ $took -le $limit ] || fail "not within $limit ms"
}

for case in KILL:2 STOP:2 KILL:0 STOP:0; do
  for try in 1 2 3; do
    (lose ${case%:*} ${case#*:} lost${case/:/}_$try) && continue 2
  done
  fail "$case: not once in three tries"
done
echo PASSED
