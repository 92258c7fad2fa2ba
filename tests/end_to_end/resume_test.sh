#!/bin/bash
# Runs that are stopped and go on, or are requeued, end with the weights of a run that was not; and loader threads
# change nothing. (Killed ones: kill_test.sh.)
. tests/end_to_end/lib.sh

unpack data 32
"$pretrain" data/train "${small[@]}" --epochs=15 --run-dir=straight > /dev/null || fail "straight"
last=checkpoints/checkpoint_0014.pth.tar

for threads in 0 3; do
  "$pretrain" data/train "${small[@]}" --epochs=15 --workers=$threads --run-dir=threads$threads > /dev/null
  cmp straight/$last threads$threads/$last || fail "$threads loader threads give other weights"
done

# Stopped by a signal, in runs long enough for it to come before their end: a checkpoint at the step, the exit code,
# the way to go on.
# stop SIGNAL RUN ARGUMENT...: starts a run and sends it SIGNAL after its second step (after the first, the untrained
# encoder is evaluated, and a signal would end the run without a checkpoint); the exit code is in $code.
stop() {
  local signal=$1 run=$2
  shift 2
  "$pretrain" "$@" > out 2> err &
  until (($(cat "$run/metrics.jsonl" 2> /dev/null | grep -c '"loss"') >= 2)); do
    kill -0 $! 2> /dev/null || fail "it has ended: $(cat out err)"
    sleep 0.05
  done
  kill -"$signal" $!
  wait $!
  code=$?
}
set -m # without job control what runs in the background ignores SIGINT
for signal_code in INT:130 TERM:143 HUP:129 USR1:138; do
  signal=${signal_code%:*} run=stopped${signal_code%:*}
  stop $signal $run data/train "${small[@]}" --epochs=15 --run-dir=$run
  [ $code -eq ${signal_code#*:} ] || fail "exit code $code after SIG$signal"
  grep -q 'checkpoint written; .*bazel run //moco:pretrain -- --resume=' err || fail "$(cat err)"
  "$pretrain" --resume=$run > out || fail "resume: $(cat out)"
  grep -q '^resumed ' out || fail "$(cat out)"
  cmp straight/$last $run/$last || fail "other weights after SIG$signal"
done

# A run goes on when what reads its output ends, as `tee` does at the same Ctrl-C.
"$pretrain" data/train "${small[@]}" --epochs=15 --run-dir=piped 2> err | head -n 1 > /dev/null
code=${PIPESTATUS[0]}
[ $code -eq 0 ] || fail "exit code $code after the reader of the output has ended: $(cat err)"
cmp straight/$last piped/$last || fail "other weights without a reader"

# A scheduler's job that goes on from somebody else's checkpoint in a --checkpoint_dir, and is started again with the
# same words: the newest there is taken, and a damaged one passed over.
job=(-data data/train "${small[@]}" --epochs=30 --resume straight/$last --checkpoint_dir jobs/moco)
stop USR1 jobs/moco "${job[@]}"
[ $code -eq 138 ] || fail "exit code $code of the job: $(cat err)"
refused 4 "checkpoints of an earlier run" "$pretrain" data/train --checkpoint_dir jobs/moco
"$pretrain" "${job[@]}" > out || fail "the job again: $(cat out)"
grep -q "^resumed  from .*/jobs/moco/moco_unsupervised_00[12][0-9]" out || fail "not the newest: $(cat out)"
grep -q "^note     newer than --resume .*straight/$last, of the same run" out || fail "not said: $(cat out)"
[ -e jobs/moco/moco_unsupervised_0029.pth.tar ] || fail "names: $(ls jobs/moco)"
"$pretrain" data/train "${small[@]}" --epochs=30 --resume=straight --run-dir=on > /dev/null || fail "on"
cmp on/checkpoints/checkpoint_0029.pth.tar jobs/moco/moco_unsupervised_0029.pth.tar || fail "the job's weights"
cp jobs/moco/moco_unsupervised_0029.pth.tar whole.pth.tar
truncate -s 30000 jobs/moco/moco_unsupervised_0029.pth.tar
"$pretrain" "${job[@]}" > out || fail "with a damaged one: $(cat out)"
grep -q "^warning: .*renamed to .*0029.pth.tar.damaged: " out || fail "not said: $(cat out)"
cmp whole.pth.tar jobs/moco/moco_unsupervised_0029.pth.tar || fail "other weights after a damaged one"

# Without the file that it began with and without any of its own there is nothing to go on from.
refused 2 "nowhere.pth.tar': No such file" "$pretrain" -data data/train "${small[@]}" --resume nowhere.pth.tar \
  --checkpoint_dir jobs/none
[ ! -e jobs/none ] || fail "a refused run left a folder"
echo PASSED
