#!/bin/bash
# submitit 1.5.4: on one machine (LocalExecutor, and AutoExecutor where there is no Slurm), each job with gpus_per_node=1 gets
# GPU 0, however many jobs run and however many GPUs there are: four jobs of map_array start at once, all with
# CUDA_VISIBLE_DEVICES=0. slurm_array_parallelism=1 does not make them wait. So a sweep that has one GPU for each job on Slurm
# puts all jobs on one GPU here, where they are slow or run out of memory. The parameter visible_gpus, which only LocalExecutor
# takes, chooses another.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  submitit==1.5.4
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import os
import time

import submitit


def job(number):
    start = time.time()
    time.sleep(4)
    return os.environ["CUDA_VISIBLE_DEVICES"], start, time.time()


executor = submitit.AutoExecutor("logs", cluster="local")
executor.update_parameters(gpus_per_node=1, timeout_min=2, slurm_array_parallelism=1)
results = [started.result() for started in executor.map_array(job, range(4))]
local = submitit.LocalExecutor("logs")
local.update_parameters(gpus_per_node=1, timeout_min=2, visible_gpus=(3,))
chosen = local.submit(job, 4).result()[0]
devices = [device for device, _, _ in results]
together = max(start for _, start, _ in results) < min(end for _, _, end in results)
print("submitit", importlib.metadata.version("submitit"), "GPUs of four jobs:", devices, "all at once:", together,
      "visible_gpus:", chosen)
assert devices == ["0"] * 4 and together and chosen == "3"
PYTHON
