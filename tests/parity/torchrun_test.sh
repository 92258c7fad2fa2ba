#!/usr/bin/env bash
# torchrun starts the program, and starts it again when a rank is killed; the run ends as one that our own launcher
# started and nobody disturbed.
#
#   torchrun_test.sh PYTHON PRETRAIN_DDP DEMO
set -euo pipefail

python=$PWD/$1
run=("$PWD/$2" "$PWD/$3" --arch=resnet_small:width=8,blocks=1,stages=2 --image-size=16 --epochs=4 --batch-size=100
  --moco-k=1000 --dist-backend=gloo)
cd "$TEST_TMPDIR"
checkpoint=checkpoints/checkpoint_0003.pth.tar

"${run[@]}" --nproc=2 --run-dir="$PWD/undisturbed" >/dev/null

"$python" -m torch.distributed.run --nproc-per-node=2 --max-restarts=1 --no-python \
  "${run[@]}" --run-dir="$PWD/killed" >out 2>err &
torchrun=$!
until [[ -e killed/checkpoints/checkpoint_0000.pth.tar ]]; do
  kill -0 $torchrun || { cat out err; exit 1; }
  sleep 0.1
done
for rank in $(pgrep -P $torchrun); do
  if grep -qzx RANK=1 "/proc/$rank/environ"; then kill -KILL "$rank"; fi
done
wait $torchrun || { echo "torchrun ended with $?"; cat out err; exit 1; }

[[ $(grep -c 'from torchrun' out) == 2 ]] || { echo "rank 0 was not started twice"; cat out err; exit 1; }
cmp {undisturbed,killed}/$checkpoint
echo PASSED
