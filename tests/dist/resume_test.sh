#!/bin/bash
# Ranks that are stopped agree on a step and leave one checkpoint; they go on to the same bits, and on other numbers of
# ranks with the same images.
. tests/dist/lib.sh
with_faults

unpack data 32
run=(data/train "${small[@]}" --batch-size=66)

on 3 "${run[@]}" --epochs=4 --run-dir=straight
for stopped in 1 "0 1 2"; do
  rm -rf run
  failing=$stopped fault=TERM:5 start 3 "${run[@]}" --epochs=4 --run-dir=run
  ended 0 143 '^error: stopped by SIGTERM after step [0-9]*, .*checkpoint'
  ended 1 143 ''
  ended 2 143 ''
  step=$(sed -n 's/.* after step \([0-9]*\),.*/\1/p' err.0) # of an epoch's four; the last has the epoch's checkpoint
  [ "$(ls run/checkpoints | grep -c _step_)" -eq $((step % 4 != 0)) ] || fail "step $step: $(ls run/checkpoints)"
  on 3 --resume=run
  cmp {straight,run}/checkpoints/checkpoint_0003.pth.tar || fail "other weights after SIGTERM to rank $stopped"
done

# The same where rank 0 has saved that step already.
rm -rf run
failing=1 fault=TERM:5 start 3 "${run[@]}" --epochs=1000 --checkpoint-minutes=0.000001 --run-dir=run
ended 0 143 '^error: stopped by SIGTERM after step [0-9]*, .*checkpoint'
ended 1 143 ''
ended 2 143 ''

# On another number of ranks the batches are the same, but not the groups of batch norm: it goes on, and says so.
for ranks in "3 1" "1 2"; do
  read -r first then <<< "$ranks"
  on "$first" "${run[@]}" --epochs=2 --run-dir=from$first
  on "$then" --resume=from$first --epochs=4
  grep -q "^note .*ranks.* $first.* $then" out || fail "not said: $(cat out)"
  [ "$(losses from$first | wc -l)" -eq 16 ] || fail "steps: $(cat from$first/metrics.jsonl)"
done
echo PASSED
