#!/usr/bin/env bash
# The official main_moco.py (in one process and in two) and main_lincls.py resume our runs, and we resume theirs; to be
# run by hand. The official code is facebookresearch/moco at 3402035, with given images and shuffles. It is unchanged
# except for a `cuda()` that does nothing, and a `view` in its accuracy that PyTorch has refused since 1.7. This
# repository contains none of that code.
#
#   tests/parity/official_bridge.sh CLONE_OF_FACEBOOKRESEARCH_MOCO [PYTHON]
#
# PYTHON needs torch 2.11.0 and torchvision 0.26.0; bazel build @reference_python//:python provides one.
set -euo pipefail

python=${2:-python3}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git -C "$1" archive 3402035 main_moco.py main_lincls.py moco | tar x -C "$work"
sed -i 's/correct\[:k\]\.view(-1)/correct[:k].reshape(-1)/' "$work"/main_*.py
cd "$here/../.."
bazel build //moco:pretrain //dist:pretrain_ddp //lincls:lincls
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/official_bridge.py" "$work" \
  "$PWD"/bazel-bin/{moco/pretrain,dist/pretrain_ddp,lincls/lincls} data/demo
