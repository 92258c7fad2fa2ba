#!/bin/bash
# Ranks that the launcher starts: what all have to say, one that is killed, and what listens meanwhile.
. tests/dist/lib.sh

# What all would say before they meet is said once.
"$launch" --nproc=2 -- --help > out 2> err || fail "--help: $(cat err)"
[ "$(grep -c -- '--batch-size ' out)" -eq 1 ] || fail "--help is there $(grep -c -- '--batch-size ' out) times"
"$launch" --nproc=2 -- --moko-k=4 > out 2> err
code=$?
[ $code -eq 2 ] || fail "exit code $code of an unknown flag: $(cat err)"
[ "$(grep -c 'error: unknown flag --moko-k; did you mean --moco-k?' err)" -eq 1 ] || fail "$(cat out err)"

unpack data 32
run=(data/train "${small[@]}" --batch-size=64 --epochs=60 "${gloo[@]}" --checkpoint-minutes=0.000001 --keep=2)
on 2 "${run[@]}" --run-dir=straight

# rank_of N: the process that is rank N of the launcher's.
rank_of() {
  local pid
  for pid in $(cat /proc/$launcher/task/$launcher/children); do
    tr '\0' '\n' < /proc/$pid/environ | grep -qx "RANK=$1" && echo $pid && return
  done
}

"$launch" --nproc=2 --max-restarts=2 -- "${run[@]}" --run-dir=killed > out 2> err &
launcher=$! pids=($!)
steps killed 6
# All that listens is on loopback.
rank=$(rank_of 0)
for listens in $(awk '$4 == "0A" { print $2 "/" $10 }' /proc/$rank/net/tcp /proc/$rank/net/tcp6 2> /dev/null); do
  ls -l /proc/$rank/fd /proc/"$(rank_of 1)"/fd | grep -q "socket:\[${listens#*/}\]" || continue
  [[ $listens == 0100007F:* ]] || fail "something listens at $listens"
  ours=1
done
[ -n "${ours-}" ] || fail "nothing listens"

kill -KILL "$(rank_of 1)"
wait $launcher || fail "exit code $?: $(cat out err)"
[ "$(grep -c '^warning: rank 1 was killed by signal 9 .*; restarting, 1 of 2$' err)" -eq 1 ] || fail "$(cat err)"
grep -q '^resumed  from' out || fail "not resumed: $(cat out)"
cmp {straight,killed}/checkpoints/checkpoint_0059.pth.tar || fail "other weights after a restart"

# A full disk on rank 0: it says so, and all go on until the last checkpoint.
(
  ulimit -f 60 # KiB: the metrics fit, a checkpoint does not
  trap '' XFSZ
  exec "$launch" --nproc=2 -- "${run[@]}" --epochs=2 --run-dir=full > out 2> err
)
code=$?
[ $code -eq 4 ] || fail "exit code $code with a full disk: $(cat out err)"
grep -q '^warning: the checkpoint .*File too large' out || fail "$(cat out err)"
[ "$(losses full | wc -l)" -eq 10 ] || fail "it has not gone on: $(cat out err)"
[ -z "$(ls full/checkpoints)" ] || fail "half a checkpoint: $(ls full/checkpoints)"
echo PASSED
