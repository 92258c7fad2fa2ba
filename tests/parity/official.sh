#!/usr/bin/env bash
# Compares reference.py with the official code, to be run by hand: the losses of facebookresearch/moco at 3402035 and of
# its CIFAR demo, adapted to run on a CPU, with the same weights, batches and shuffles. This repository contains none of
# that code.
#
#   tests/parity/official.sh CLONE_OF_FACEBOOKRESEARCH_MOCO [PYTHON]
#
# PYTHON needs torch 2.11.0 and torchvision 0.26.0; bazel build @reference_python//:python provides one.
set -euo pipefail

python=${2:-python3}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git -C "$1" show 3402035:moco/builder.py | sed 's/\.cuda()//g' >"$work/official_builder.py"
git -C "$1" show colab-notebook:colab/moco_cifar10_demo.ipynb >"$work/demo.ipynb"
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/official.py" "$work"
