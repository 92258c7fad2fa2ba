#!/bin/bash
# What a rank throws is its own error, with its exit code, and the others say it instead of taking the rank for lost.
. tests/dist/lib.sh
pretrain_ddp=${pretrain_ddp%/dist/*}/tests/dist/pretrain_with_faults

unpack data 32
run=()
for flag in "${small[@]}"; do [ "$flag" == --cos ] || run+=("$flag"); done
# throws RANK WHAT: two ranks, one of which throws in step 4.
throws() {
  local rank
  choose_url
  for rank in 0 1; do
    [ $rank -eq "$1" ] && export POISONED=1 || unset POISONED
    start_rank $rank 2 data/train "${run[@]}" --epochs=100 --lr-schedule="throws:step=3,what=$2" --run-dir="run$1$2"
  done
  unset POISONED
}
for rank in 0 1; do
  prefix=$([ $rank -eq 0 ] || echo "rank $rank: ")
  throws $rank bad_alloc
  ended $rank 4 "^error: ${prefix}out of memory on this machine; lower one of --batch-size, --moco-k, --workers$"
  ended $((1 - rank)) 4 "^error: .*rank $rank .*out of memory on this machine; lower one of --batch-size.*, at step 4"
done
throws 1 cuda
ended 1 4 '^error: rank 1: out of memory on the GPU; lower one of --batch-size, --moco-k$'
ended 0 4 '^error: rank 1 .*out of memory on the GPU'
throws 1 shapes
ended 1 1 '^error: rank 1: the shapes differ$'
ended 0 4 '^error: rank 1 .*the shapes differ'
echo PASSED
