"""The official code's side of step_benchmark.py: the same protocol as step_benchmark.cc, around its own MoCo.

The loop is main_moco.py's: forward, loss, accuracy, optimizer. Its data parallel wrapper, which costs time and does
nothing for one process, is left out.
"""

import argparse
import contextlib
import functools
import json
import sys
import time

import torch
from torch.nn import functional as F

BATCHES = 4  # as step_benchmark.cc


def accuracies(logits):
    """main_moco.py's accuracy of the first and the first five, with the own key at place 0."""
    places = logits.topk(5).indices
    return [(places[:, :k] == 0).any(1).float().mean().item() for k in (1, 5)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--code", required=True, help="folder of official_builder.py and reference.py")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--moco_k", type=int, default=65536)
    parser.add_argument("--precision", default="fp32", choices=("fp64", "fp32", "bf16"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    sys.path += args.code.split(":")
    import official_builder
    import reference

    torch.set_num_threads(args.threads)
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    torch.manual_seed(0)
    backbone = functools.partial(reference.BACKBONES[args.arch], norm_layer=torch.nn.BatchNorm2d)
    moco = official_builder.MoCo(backbone, 128, args.moco_k, 0.999, 0.2, True)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    dtype = torch.double if args.precision == "fp64" else torch.float
    moco.to(dtype=dtype, memory_format=layout).train()
    optimizer = torch.optim.SGD(moco.parameters(), 0.03, momentum=0.9, weight_decay=1e-4,
                                foreach=True if args.channels_last else None)
    if args.compile:
        moco.encoder_q.compile()
        moco.encoder_k.compile()
    batches = [[x.to(dtype=dtype, memory_format=layout) for x in
                reference.views(i, args.batch_size, 3, args.size, args.size)] for i in range(BATCHES)]
    autocast = torch.autocast("cpu", torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()

    number = 0
    for line in sys.stdin:
        answer = {"losses": [], "seconds": []}
        for _ in range(int(line)):
            begin = time.perf_counter()
            with autocast:
                logits, labels = moco(*batches[number % BATCHES])
                loss = F.cross_entropy(logits, labels)
            accuracies(logits)
            answer["losses"].append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            answer["seconds"].append(time.perf_counter() - begin)
            number += 1
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
