#!/usr/bin/env bash
# The programs, which are the arguments, are linked with LibTorch's CUDA libraries, find all that these need, and
# start on any machine.
set -euo pipefail

for program; do
  libraries=$(ldd "$program")
  if grep 'not found' <<<"$libraries"; then
    echo "FAILED: $program lacks the libraries above"
    exit 1
  fi
  if ! grep -q libtorch_cuda.so <<<"$libraries"; then
    echo "FAILED: $program is not linked with libtorch_cuda.so"
    exit 1
  fi
  help=$("$program" --help)
  grep -q -- --batch-size <<<"$help"
done
