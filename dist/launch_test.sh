#!/usr/bin/env bash
# The launcher with shells for ranks: what they are given, how they end, and that none is left.
set -u

launch=$PWD/dist/launch
cd "$TEST_TMPDIR" || exit 1
unset RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE OMP_NUM_THREADS # nproc obeys the last

fail() {
  echo "FAILED: $*"
  exit 1
}

# ranks NPROC FLAG... -- SCRIPT: runs SCRIPT in each rank, with the exit code in $code.
ranks() {
  local nproc=$1
  shift
  "$launch" --nproc="$nproc" --program=/bin/bash "${@:1:$#-2}" -- -c "${@: -1}" >out 2>err
  code=$?
}

# ended CODE TEXT: so did the last ranks(), with TEXT on the one line of stderr that is no note.
ended() {
  [[ $code == "$1" ]] || fail "exit code $code, not $1: $(cat out err)"
  [[ $(grep -vc '^note: ' err) == 1 ]] || fail "not one line: $(cat err)"
  grep -qF -- "$2" err || fail "no '$2' in: $(cat err)"
}

# eventually COMMAND...: within 10 s it is true.
eventually() {
  for _ in {1..100}; do
    "$@" && return
    sleep 0.1
  done
  fail "not after 10 s: $*"
}

gone() { ! kill -0 "$@" 2>/dev/null; }
there() { [[ $(cat "$@" 2>/dev/null | wc -l) == $# ]]; }

# What ranks are given.
ranks 3 -- 'echo $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE $MASTER_ADDR $MASTER_PORT \
    $TORCHELASTIC_RESTART_COUNT $MOCOPP_RUN_DIR >given.$RANK; readlink /proc/$$/fd/* >fds.$RANK
  echo "${MOCOPP_STORE_FD-none}" >>given.$RANK; [[ $RANK == 0 ]] && cat /proc/net/tcp >tcp; [[ $(cat) == "" ]]'
[[ $code == 0 ]] || fail "exit code $code: $(cat out err)"
port=$(head -1 given.0 | cut -d' ' -f6)
for rank in 0 1 2; do
  [[ $(head -1 given.$rank) =~ ^"$rank 3 $rank 3 127.0.0.1 $port 0 $PWD/runs/20"[-_0-9]+$ ]] ||
    fail "rank $rank is given: $(cat given.$rank)"
done
[[ ! -e runs ]] || fail "a run folder that no run has made"
# The socket, which listens on loopback alone, is rank 0's.
[[ $(tail -1 given.0) =~ ^[0-9]+$ && $(tail -n 1 -q given.1 given.2 | sort -u) == none ]] ||
  fail "sockets: $(tail -n 1 given.*)"
inode=$(awk -v at="$(printf '0100007F:%04X' "$port")" '$2 == at && $4 == "0A" { print $10 }' tcp)
[[ -n $inode ]] || fail "nothing listens at 127.0.0.1:$port: $(cat tcp)"
[[ $(grep -lF "socket:[$inode]" fds.*) == fds.0 ]] || fail "who has $inode: $(head fds.*)"

# All good, more of them than cores.
more=$(($(nproc) + 1))
ranks $more -- 'echo good'
[[ $code == 0 && $(grep -c good out) == "$more" ]] || fail "exit code $code: $(cat out err)"
[[ $(cat err) == "note: $more ranks share $(nproc) cores" ]] || fail "no note: $(cat err)"

# The first rank that ends badly says how all end; the others notice.
ranks 2 -- '[[ $RANK == 1 ]] && exit 3; sleep 0.5; exit 4'
ended 3 'error: rank 1 ended with exit code 3 after'
ranks 2 -- '[[ $RANK == 1 ]] && kill -KILL $$; sleep 0.5; exit 4'
ended 137 'error: rank 1 was killed by signal 9 (Killed) after'
ranks 2 --timeout=0 -- '[[ $RANK == 0 ]] && exit 5; exec sleep 1000'
ended 5 'error: rank 0 ended with exit code 5'

# One that is stopped, and one that ignores SIGTERM, are killed in the end.
began=$SECONDS
ranks 3 --timeout=1 -- 'echo $$ >pid.$RANK; trap "" TERM; case $RANK in
  0) sleep 0.5; exit 4 ;; 1) kill -STOP $$ ;; 2) while :; do sleep 0.1; done ;; esac'
ended 4 'error: rank 0 ended with exit code 4'
((SECONDS - began >= 11 && SECONDS - began <= 20)) || fail "took $((SECONDS - began)) s"
gone $(cat pid.?) || fail "left: $(cat pid.?)"

# What ranks start does not outlive them.
ranks 2 -- 'sleep 1000 & echo $! >child.$RANK; (trap "" TERM; sleep 1000) & echo $! >>child.$RANK'
[[ $code == 0 ]] || fail "exit code $code: $(cat out err)"
eventually gone $(cat child.?)

# background SCRIPT [FLAG...]: ranks in the background, whose process is $pid, until each has written pid.RANK.
background() {
  rm -f pid.?
  set -m # without job control what runs in the background ignores SIGINT
  "$launch" --nproc=2 --program=/bin/bash "${@:2}" -- -c "$1" >out 2>err &
  pid=$!
  set +m
  eventually there pid.0 pid.1
}

# Nothing outlives the launcher, whatever ends it: what does not react is killed after the timeout.
background 'sleep 1000 & echo $$ $! >pid.$RANK; trap "" TERM USR1; [[ $RANK == 1 ]] && kill -STOP $$; wait' --timeout=1
kill -KILL $pid
wait $pid 2>/dev/null
eventually gone $(cat pid.?)

# Ranks whose launcher is killed have time for a checkpoint, and the guard ends with them.
background 'trap "sleep 2; echo saved >saved.$RANK; exit" USR1; sleep 1000 & echo $$ $! >pid.$RANK
  while :; do sleep 0.05; done'
guard=$(cut -d' ' -f5 "/proc/$(cut -d' ' -f1 pid.0)/stat")
kill -KILL $pid
wait $pid 2>/dev/null
eventually there saved.0 saved.1
eventually gone $(cat pid.?)
eventually gone "$guard"

# Not even the process that watches over that: the leader of the ranks' group.
background 'echo $$ >pid.$RANK; sleep 1000; true'
kill -KILL "$(cut -d' ' -f5 "/proc/$(cat pid.0)/stat")"
kill -KILL $pid
wait $pid 2>/dev/null
eventually gone $(cat pid.?)

# A signal goes to each rank once, and their answer is the launcher's.
for signal in INT:130 TERM:143 USR1:138; do
  background "trap 'echo \$RANK >>got; n=1' ${signal%:*}; n=0; echo \$\$ >pid.\$RANK
    while [[ \$n == 0 ]]; do sleep 0.05; done; sleep 0.3; exit ${signal#*:}"
  rm -f got
  kill -"${signal%:*}" $pid
  wait $pid
  code=$?
  ended "${signal#*:}" 'signal to stop'
  [[ $(sort got) == $'0\n1' ]] || fail "$signal came to: $(cat got)"
done
background 'echo $$ >pid.$RANK; exec sleep 1000'
kill -HUP $pid
wait $pid
code=$?
ended 129 'was killed by signal 1 (Hangup)'

# A lost rank starts all again, in the same run folder, as often as is allowed.
rm -f lives.*
ranks 2 --max-restarts=3 --timeout=0 -- 'echo $TORCHELASTIC_RESTART_COUNT $MOCOPP_RUN_DIR >>lives.$RANK
  [[ $RANK == 1 && $TORCHELASTIC_RESTART_COUNT == 0 ]] && kill -KILL $$
  [[ $TORCHELASTIC_RESTART_COUNT == 1 ]] && exit 4
  [[ $TORCHELASTIC_RESTART_COUNT == 2 ]] && exit 0; sleep 1000'
[[ $code == 0 && $(grep -c '^warning: rank .* restarting, [12] of 3$' err) == 2 ]] ||
  fail "exit code $code: $(cat out err)"
[[ $(cut -d' ' -f1 lives.? | sort -u | xargs) == '0 1 2' && $(cut -d' ' -f2 lives.? | sort -u | wc -l) == 1 ]] ||
  fail "lives: $(cat lives.?)"
ranks 1 --max-restarts=1 -- 'kill -SEGV $$'
[[ $code == 139 ]] || fail "exit code $code: $(cat out err)"
[[ $(tail -1 err) == *'signal 11 (Segmentation fault)'*'; restarts: 1 of 1' ]] || fail "$(cat err)"
for never in 1 2 3 5 130 138 143; do
  ranks 1 --max-restarts=3 -- "exit $never"
  ended $never "rank 0 ended with exit code $never"
done
ranks 1 -- 'exit 4'
ended 4 '--max-restarts=N'

# Several machines: the first serves the store, at the place that all know.
"$launch" --nproc=2 --nnodes=2 --node-rank=1 --dist-url=tcp://127.0.0.1:23457 --program=/bin/bash -- \
  -c 'echo $RANK $WORLD_SIZE $LOCAL_RANK $MASTER_ADDR:$MASTER_PORT ${MOCOPP_STORE_FD-none}' >out ||
  fail "machine 1"
[[ $(sort out | tail -1) == '3 4 1 127.0.0.1:23457 none' ]] || fail "machine 1: $(cat out)"

# refused CODE TEXT FLAG...
refused() {
  local expected=$1 text=$2
  shift 2
  "$launch" "$@" >out 2>err
  code=$?
  ended "$expected" "$text"
}
refused 2 "unknown flag --mlp" --nproc=2 --mlp
refused 2 "after a --" --nproc=2 --mlp
refused 2 "--nproc is 0" --nproc=0
refused 2 "--node-rank" --nnodes=2 --node-rank=2
refused 2 "give --dist-url=tcp://HOST:PORT" --nnodes=2
refused 2 "is not this machine" --nnodes=2 --dist-url=tcp://192.0.2.1:23457 --program=/bin/true
refused 2 "cannot find the host 'nowhere.invalid' of rank 0" --nnodes=2 --dist-url=tcp://nowhere.invalid:1
refused 2 "cannot run '$PWD/absent': No such file" --program=absent
RANK=0 refused 2 "WORLD_SIZE" --nproc=2
refused 4 "cannot run '/etc': Permission denied" --program=/etc
"$launch" --dist-url=tcp://127.0.0.1:$port --program=/bin/sleep -- 1000 &
pid=$!
eventually grep -q "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp
refused 4 "port $port is in use" --dist-url=tcp://127.0.0.1:$port --program=/bin/true
kill $pid
"$launch" --help >out || fail "--help"
grep -q -- '--max-restarts' out || fail "--help: $(cat out)"

# What bazel run lays out for the launcher is its ranks', unless something else is said to be.
mkdir run run/launch.runfiles
cp "$launch" run/launch
(
  unset RUNFILES_DIR
  launch=$PWD/run/launch
  ranks 1 -- 'echo "$RUNFILES_DIR"'
  [[ $(<out) == "$PWD/run/launch.runfiles" ]] || fail "the ranks' runfiles are '$(cat out err)'"
  RUNFILES_DIR=/else ranks 1 -- 'echo "$RUNFILES_DIR"'
  [[ $(<out) == /else ]] || fail "the ranks' runfiles are '$(cat out err)'"
) || exit 1
echo PASSED
