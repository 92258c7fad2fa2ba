# What the tests of several processes share: programs, small settings, ranks that are started by hand.
pretrain_ddp=$PWD/dist/pretrain_ddp
lincls_ddp=$PWD/dist/lincls_ddp
launch=$PWD/dist/launch
. tests/end_to_end/lib.sh
unset RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT

small+=(--bn-splits=1 --knn-every=0)
gloo=(--dist-backend=gloo --dist-timeout=10)
trap 'kill -KILL $(jobs -p) 2> /dev/null' EXIT # also what is stopped

# with_faults: from here on ranks run a program in which those of $failing fail by $fault (throws.cc).
with_faults() {
  local flag others=()
  for flag in "${small[@]}"; do [ "$flag" == --cos ] || others+=("$flag"); done
  small=("${others[@]}" --lr-schedule=throws)
  pretrain_ddp=${pretrain_ddp%/dist/*}/tests/dist/pretrain_with_faults
}

# Sets $url, where nobody listens.
choose_url() {
  local port
  until port=$((20000 + RANDOM % 10000)) && ! (: < /dev/tcp/127.0.0.1/$port) 2> /dev/null; do :; done
  url=tcp://127.0.0.1:$port
}

# start_rank RANK SIZE ARGUMENT...: one rank, which meets the others at $url, as a person starts it.
start_rank() {
  local rank=$1 size=$2
  shift 2
  [[ " ${failing-} " == *" $rank "* ]] && export THROWS=$fault
  "$pretrain_ddp" "$@" "${gloo[@]}" --world-size="$size" --rank="$rank" --dist-url="$url" \
    > out.$rank 2> err.$rank &
  pids[rank]=$!
  unset THROWS
}

# start SIZE ARGUMENT...: all ranks.
start() {
  choose_url
  pids=()
  for ((r = 0; r < $1; ++r)); do start_rank $r "$@"; done
}

# steps RUN N: waits until a run has done N steps.
steps() {
  until [ "$(losses "$1" 2> /dev/null | wc -l)" -ge "$2" ]; do
    kill -0 "${pids[@]}" || fail "a rank has ended: $(cat out.* err.*)"
    sleep 0.05
  done
}

# ended RANK CODE PATTERN: waits for a rank, which ends with CODE and says PATTERN in one line on stderr; an empty
# PATTERN: says nothing.
ended() {
  for ((i = 0; i < 2400; ++i)); do
    kill -0 "${pids[$1]}" 2> /dev/null || break
    sleep 0.05
  done
  ((i < 2400)) || fail "rank $1 is still there after 2 minutes: $(cat err.*)"
  wait "${pids[$1]}"
  local code=$?
  [ $code -eq "$2" ] || fail "rank $1 ends with $code, not $2: $(cat out.$1 err.$1)"
  [ "$(wc -l < err.$1)" -eq "$([ -z "$3" ] && echo 0 || echo 1)" ] || fail "rank $1 says: $(cat err.$1)"
  grep -q "$3" err.$1 || [ -z "$3" ] || fail "no '$3' from rank $1: $(cat err.$1)"
}

# on RANKS ARGUMENT...: a run on so many ranks of this machine, which goes well.
on() {
  "$launch" --nproc="$1" --program="$pretrain_ddp" -- "${@:2}" "${gloo[@]}" > out 2> err || fail "$*: $(cat out err)"
}

# same_losses RUN RUN: those of all steps, within 1e-9.
same_losses() {
  paste <(losses "$1") <(losses "$2") |
    awk '{ d = $1 - $2; if (NF != 2 || d > 1e-9 || d < -1e-9) bad = 1 } END { exit bad || NR < 20 }' ||
    fail "losses of $1 and $2: $(paste <(losses "$1") <(losses "$2"))"
}
