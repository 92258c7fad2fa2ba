#!/usr/bin/env bash
# The programs, which are the arguments, are linked with LibTorch's CUDA libraries, find all that these need, take no
# other CUDA in its place, and start on any machine.
set -euo pipefail

# Stands for the CUDA of a cluster's modules.
mkdir other
for library in libcublas.so.13 libcudart.so.13 libcudnn.so.9 libnccl.so.2; do
  cp "$(ldd /bin/sh | awk '/libc.so/ { print $3 }')" "other/$library"
done

failed() {
  echo "FAILED: $1"
  exit 1
}

for program; do
  libraries=$(LD_LIBRARY_PATH=$PWD/other ldd "$program")
  grep -q libtorch_cuda.so <<<"$libraries" || failed "$program is not linked with libtorch_cuda.so"
  ! grep "$PWD/other/" <<<"$libraries" || failed "$program takes the libraries above of another CUDA"
  ! grep 'not found' <<<"$libraries" || failed "$program lacks the libraries above"
  help=$("$program" --help)
  grep -q -- --batch-size <<<"$help" || failed "$program does not help"
done
