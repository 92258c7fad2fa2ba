#!/bin/bash
# What a rank throws is its own error, with its exit code, and the others report it instead of taking the rank for lost.
. tests/dist/lib.sh
with_faults

unpack data 32
# throws RANK WHAT: two ranks, one of which throws in step 4.
throws() {
  failing=$1 fault=$2:3 start 2 data/train "${small[@]}" --epochs=100 --run-dir="run$1$2"
}
for failing_rank in 0 1; do
  prefix=$([ $failing_rank -eq 0 ] || echo "rank $failing_rank: ")
  throws $failing_rank bad_alloc
  ended $failing_rank 4 "^error: ${prefix}out of memory on this machine; lower one of --batch-size, --moco-k, --workers$"
  ended $((1 - failing_rank)) 4 \
    "^error: .*rank $failing_rank .*out of memory on this machine; lower one of --batch-size.*, at step 4"
done
throws 1 cuda
ended 1 4 '^error: rank 1: out of memory on the GPU; lower one of --batch-size, --moco-k$'
ended 0 4 '^error: rank 1 .*out of memory on the GPU'
throws 1 shapes
ended 1 1 '^error: rank 1: the shapes differ'
ended 0 4 '^error: rank 1 .*the shapes differ'
echo PASSED
