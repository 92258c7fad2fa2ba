#!/bin/bash
# Launchers of others, killed in each way: PyTorch's torchrun and, where it is installed, Open MPI's mpirun. Whatever ends
# them, the ranks write a checkpoint and end. The argument is a Python with PyTorch.
python=$PWD/$1
. tests/dist/lib.sh

unpack data 32
run=(data/train "${small[@]}" --batch-size=66 --epochs=1000 "${gloo[@]}")

# killed NAME SIGNAL LAUNCHER...: starts two ranks and sends SIGNAL to the launcher alone.
killed() {
  local name=$1 signal=$2 ranks code steps newest
  shift 2
  "$@" "$pretrain_ddp" "${run[@]}" --run-dir="$name" > out 2> err &
  pids=($!)
  steps "$name" 6
  ranks=$(pgrep -f -- "^$pretrain_ddp .*--run-dir=$name\$")
  [ "$(wc -w <<< "$ranks")" -eq 2 ] || fail "$name: these are the ranks: $ranks"
  kill -"$signal" "${pids[0]}"
  wait "${pids[0]}"
  code=$?
  for ((i = 0; i < 1200; ++i)); do
    ps -o pid= $ranks > left || break
    sleep 0.1
  done
  ((i < 1200)) || fail "$name: still there two minutes after the launcher: $(cat left out err)"
  # What the ranks say is lost where the launcher reads it. Four steps are an epoch.
  steps=$(losses "$name" | wc -l)
  newest=$(printf 'checkpoint_%04d_step_%05d' $((steps / 4)) $((steps % 4)))
  ((steps % 4)) || newest=$(printf 'checkpoint_%04d' $((steps / 4 - 1)))
  [ -e "$name/checkpoints/$newest.pth.tar" ] ||
    fail "$name: no $newest, but $(ls "$name/checkpoints"): $(cat out err)"
  echo "$name: the launcher ended with $code, the ranks $((i / 10)) s later, $newest"
}

torchrun=("$python" -m torch.distributed.run --nproc-per-node=2 --master-addr=127.0.0.1 --no-python)
killed torchrun_killed KILL "${torchrun[@]}" --master-port=$((20000 + RANDOM % 10000))
# Slurm's notice kills torchrun alone, unless it is told to pass it on.
killed torchrun_usr1 USR1 "${torchrun[@]}" --master-port=$((20000 + RANDOM % 10000))
killed torchrun_usr1_passed_on USR1 "${torchrun[@]}" --master-port=$((20000 + RANDOM % 10000)) \
  --signals-to-handle=SIGTERM,SIGUSR1
killed torchrun_term TERM "${torchrun[@]}" --master-port=$((20000 + RANDOM % 10000))

if ! command -v mpirun > /dev/null; then
  echo "SKIPPED: the part with mpirun, which is not installed; apt-get install openmpi-bin"
  exit
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for signal in KILL USR1 TERM; do
  killed mpirun_$signal $signal mpirun --oversubscribe -n 2
done
echo PASSED
