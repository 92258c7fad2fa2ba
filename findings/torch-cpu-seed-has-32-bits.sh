#!/bin/bash
# torch 2.11.0: manual_seed takes seeds of 64 bits, as its documentation says, and the generator of the CPU uses only the lower 32:
# the seeds 5, 2**32 + 5 and 2 * 2**32 + 5 give the same numbers and the same order of images, and -1 is 2**32 - 1. initial_seed()
# still reports the 64 bits. So runs that put their number into the upper half of the seed repeat the first run's weights,
# shuffles and crops, and the spread over runs is 0. NumPy's generator uses all bits.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import torch


def draws(seed):
    """Initial weights, an order of images, and what the generator reports as its seed."""
    generator = torch.manual_seed(seed)
    order = torch.utils.data.RandomSampler(range(8), generator=torch.Generator().manual_seed(seed))
    return torch.nn.Linear(2, 1).weight.flatten().tolist(), list(order), generator.initial_seed()


seeds = [5, 1 << 32 | 5, 2 << 32 | 5, 6]
found = [draws(seed) for seed in seeds]
other = [int(np.random.default_rng(seed).integers(1 << 60)) for seed in seeds]
print("torch", torch.__version__, "weights, order and initial_seed() of the seeds", seeds, ":", found)
assert found[0][:2] == found[1][:2] == found[2][:2] != found[3][:2]
assert [reported for _, _, reported in found] == seeds and len(set(other)) == 4
assert draws(-1)[:2] == draws(2**32 - 1)[:2]
PYTHON
