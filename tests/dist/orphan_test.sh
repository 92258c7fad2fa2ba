#!/bin/bash
# Ranks whose launcher is killed write a checkpoint and end: SIGUSR1, a scheduler's notice, kills torchrun alone.
. tests/dist/lib.sh

unpack data 32
export WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT

# A launcher in the way of torchrun. It reads what the ranks print, so that their pipe breaks when it dies.
cat > launcher << 'LAUNCHER'
exec 3<> pipe
for rank in 0 1; do
  RANK=$rank LOCAL_RANK=$rank "$@" > pipe 2> err.$rank 3>&- &
  echo $! > pid.$rank
done
while read -r line <&3; do echo "$line" >> out; done
LAUNCHER
mkfifo pipe

for signal in USR1 KILL; do
  choose_url
  MASTER_PORT=${url##*:}
  rm -f out err.*
  bash launcher "$pretrain_ddp" data/train "${small[@]}" --batch-size=66 --epochs=1000 "${gloo[@]}" --run-dir=$signal &
  pids=($!)
  steps $signal 6
  kill -$signal "${pids[0]}"
  for rank in 0 1; do
    for ((i = 0; i < 600; ++i)); do
      [ -d /proc/"$(cat pid.$rank)" ] || break
      sleep 0.1
    done
    ((i < 600)) || fail "$signal: rank $rank is still there after a minute: $(cat out err.*)"
  done
  # One of them notices first, and the other may end with it before it has looked.
  grep -q '^warning: the launcher of rank [01] is gone' err.0 err.1 || fail "$signal: $(cat err.*)"
  grep -q '^error: stopped by SIGUSR1 after step .*checkpoint written' err.0 || fail "$signal: $(cat err.0)"
  compgen -G "$signal/checkpoints/checkpoint_*.pth.tar" > /dev/null || fail "$signal: no checkpoint"
done

# Our own launcher, which ends what does not end by itself.
unset WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT
"$launch" --nproc=2 -- data/train "${small[@]}" --batch-size=66 --epochs=1000 "${gloo[@]}" --run-dir=ours > out 2> err &
pids=($!)
steps ours 6
ranks=$(cat /proc/$!/task/$!/children)
kill -KILL $!
for ((i = 0; i < 600; ++i)); do
  ps -o pid= $ranks > left || break
  sleep 0.1
done
((i < 600)) || fail "left a minute after the launcher: $(cat left out err)"
grep -q '^error: stopped by SIGUSR1 after step .*checkpoint written' err || fail "$(cat out err)"
compgen -G "ours/checkpoints/checkpoint_*.pth.tar" > /dev/null || fail "no checkpoint: $(cat out err)"
echo PASSED
