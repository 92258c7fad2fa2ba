#!/usr/bin/env bash
# Builds with CUDA and packs the kit for a day with a GPU into gpu_kit/ (docs/cuda.md):
#
#   tools/gpu/pack.sh --moco=CLONE_OF_FACEBOOKRESEARCH_MOCO --images=cifar10-jpeg.tar.xz [--out=gpu_kit]
set -euo pipefail

root=$(realpath "$(dirname "$0")/../..")
commit=$(git -C "$root" rev-parse HEAD)
here=$PWD
cd "$root"
bazel build --config=cuda //tools/gpu:pack_cuda
cd "$here"
BUILD_WORKING_DIRECTORY=$here exec "$root/bazel-bin/tools/gpu/pack_cuda" --commit="$commit" "$@"
