#!/bin/bash
# Runs that are killed or stopped anywhere end with the weights of a run that was not; and loader threads
# change nothing.
. tests/end_to_end/lib.sh

unpack data 32
"$pretrain" data/train "${small[@]}" --epochs=6 --run-dir=straight > /dev/null || fail "straight"
last=checkpoints/checkpoint_0005.pth.tar

for threads in 0 3; do
  "$pretrain" data/train "${small[@]}" --epochs=6 --workers=$threads --run-dir=threads$threads > /dev/null
  cmp straight/$last threads$threads/$last || fail "$threads loader threads give other weights"
done

# SIGKILL, again and again, until it has come to its end.
kills=0
"$pretrain" data/train "${small[@]}" --epochs=6 --run-dir=killed > /dev/null &
while :; do
  sleep "$((RANDOM % 2 + kills / 20)).$((RANDOM % 7 + 2))"  # longer and longer, for slow machines
  kill -KILL $! 2> /dev/null && kills=$((kills + 1))
  wait $! 2> /dev/null
  [ -e killed/$last ] && break
  if ls killed/checkpoints/*.pth.tar > /dev/null 2>&1; then
    "$pretrain" --resume=killed > /dev/null &
  else
    "$pretrain" data/train "${small[@]}" --epochs=6 --run-dir=killed > /dev/null &
  fi
  [ $kills -lt 200 ] || fail "200 kills and no end"
done
cmp straight/$last killed/$last || fail "other weights after $kills kills"
[ "$(losses killed | md5sum)" = "$(losses straight | md5sum)" ] || fail "other losses after $kills kills"

# Ctrl-C and SIGTERM: a checkpoint at the step, the exit code, the way to go on.
for signal in INT TERM; do
  [ $signal = INT ] && code=130 || code=143
  run=stopped$signal
  "$pretrain" data/train "${small[@]}" --epochs=6 --run-dir=$run > /dev/null 2> err &
  until [ -e $run/metrics.jsonl ]; do sleep 0.05; done
  kill -$signal $!
  wait $!
  got=$?
  [ $got -eq $code ] || fail "exit code $got after SIG$signal"
  grep -q 'checkpoint written; go on with: bazel run //moco:pretrain -- --resume=' err || fail "$(cat err)"
  "$pretrain" --resume=$run > out || fail "resume: $(cat out)"
  grep -q '^resumed ' out || fail "$(cat out)"
  cmp straight/$last $run/$last || fail "other weights after SIG$signal"
done
echo "PASSED, $kills kills"
