"""Losses in float32, live: the first, and whether later ones stay as near as the reference stays to itself.

    float32_test.py FLOAT32_LOSSES

Float32 is chaotic in MoCo, so that later losses can be compared with a spread only: how far runs of the reference
part when nothing but the layout of their images and weights in memory, or the number of threads, changes. Of
ResNet-50, which takes long, only the first loss is compared.
"""

import itertools
import json
import os
import subprocess
import sys

import torch

import reference

FIRST_BOUND = 1e-5
RUNS = [{"backbone": backbone, "head": "mlp", "splits": 1, "batch": 8, "size": 64, "queue": 512,
         "temperature": 0.2, "momentum": 0.99, "lr": 0.03, "weight_decay": 1e-4, "schedule": "cosine", "epochs": 1,
         "steps_per_epoch": steps, "seed": 5} for backbone, steps in (("resnet18", 20), ("resnet50", 1))]
VARIANTS = tuple(itertools.product((torch.contiguous_format, torch.channels_last), (1, 2)))  # layout, threads


def reference_losses(run, layout, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(run["seed"])
    moco = reference.MoCo(run["backbone"], run["head"], run["splits"], queue=run["queue"], momentum=run["momentum"],
                          temperature=run["temperature"])
    for f in (moco.f_q, moco.f_k):
        f.to(memory_format=layout)
    optimizer = torch.optim.SGD(moco.f_q.parameters(), run["lr"], momentum=0.9, weight_decay=run["weight_decay"])
    losses = []
    for number in range(run["steps_per_epoch"]):
        x_q, x_k = (x.float().contiguous(memory_format=layout)
                    for x in reference.views(number, run["batch"], 3, run["size"], run["size"]))
        shuffle = reference.permutation(run["seed"], number, run["batch"])
        losses.append(reference.step(moco, optimizer, x_q, x_k, [shuffle])[0])
    return losses


def distance(a, b):
    """The largest relative difference of two runs' losses."""
    return max(abs(x - y) / abs(y) for x, y in zip(a, b))


def main():
    for run in RUNS:
        steps = run["steps_per_epoch"]
        said = subprocess.run([sys.argv[1], json.dumps(run), str(steps)], check=True, stdout=subprocess.PIPE,
                              env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout
        ours = [float(line) for line in said.split()]
        theirs = [reference_losses(run, layout, threads) for layout, threads in VARIANTS[:1 if steps == 1 else None]]
        first = distance(ours[:1], theirs[0][:1])
        print(f"{run['backbone']}: first loss {ours[0]:.6f}, relative difference {first:.1e}, bound {FIRST_BOUND}")
        if not (first <= FIRST_BOUND and len(ours) == steps):
            sys.exit(f"{run['backbone']}: the first loss in float32 differs")
        if steps == 1:
            continue
        nearest = min(distance(ours, t) for t in theirs)
        spread = max(distance(a, b) for a, b in itertools.combinations(theirs, 2))
        print(f"{run['backbone']}: {steps} losses: {nearest:.1e} from the nearest of the reference's {len(theirs)} "
              f"runs, which differ by {spread:.1e}")
        if not nearest <= spread:
            sys.exit(f"{run['backbone']}: the losses in float32 are further away than the reference's from each other")


if __name__ == "__main__":
    main()
