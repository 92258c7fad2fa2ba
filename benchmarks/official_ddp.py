"""The official code's side of ddp_benchmark.cc: the same protocol around its own MoCo in DistributedDataParallel."""

import argparse
import collections
import contextlib
import functools
import json
import sys
import time

import torch
from torch import distributed
from torch.nn import functional as F

from official_step import BATCHES, accuracies

BUCKETS = (1 << 20, 25 << 20)  # bytes of the first and of the others, as DistributedDataParallel has them


class Clock:
    """Seconds in what is timed."""

    def __init__(self):
        self.seconds = 0

    def timed(self, function):
        @functools.wraps(function)
        def call(*arguments, **settings):
            begin = time.perf_counter()
            result = function(*arguments, **settings)
            self.seconds += time.perf_counter() - begin
            return result
        return call

    def take(self):
        seconds, self.seconds = self.seconds, 0
        return seconds


def average_alone(gradients):
    """All-reduces as the backward pass has them, without one."""
    buckets = gradients[:BUCKETS[0] // 4], *gradients[BUCKETS[0] // 4:].split(BUCKETS[1] // 4)
    for work in [distributed.all_reduce(bucket, async_op=True) for bucket in buckets]:
        work.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--code", required=True, help="folder of official_builder.py and reference.py")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch_size", type=int, default=64, help="of all ranks")
    parser.add_argument("--moco_k", type=int, default=65536)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--store", required=True, help="file where the ranks meet")
    parser.add_argument("--channels_last", action="store_true")
    args = parser.parse_args()
    sys.path += args.code.split(":")
    waited, backward = Clock(), Clock()
    distributed.init_process_group("gloo", init_method=f"file://{args.store}", rank=args.rank, world_size=args.ranks)
    for name in ("all_gather", "broadcast"):
        setattr(distributed, name, waited.timed(getattr(distributed, name)))
    import official_builder
    import reference

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    moco = official_builder.MoCo(reference.backbone(args.arch), 128, args.moco_k, 0.999, 0.2, True)
    model = torch.nn.parallel.DistributedDataParallel(moco.to(memory_format=layout))
    model._sync_buffers = waited.timed(model._sync_buffers)
    optimizer = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9, weight_decay=1e-4,
                                foreach=True if args.channels_last else None)
    gradients = torch.zeros(sum(p.numel() for p in moco.encoder_q.parameters()))
    batches = [[x[args.rank::args.ranks].float().contiguous(memory_format=layout) for x in
                reference.views(i, args.batch_size, 3, args.size, args.size)] for i in range(BATCHES)]

    number = 0
    for line in sys.stdin:
        count, mode = line.split()
        answer = collections.defaultdict(list)
        for _ in range(int(count)):
            begin = time.perf_counter()
            if mode == "alone":
                average_alone(gradients)
                answer["seconds"].append(time.perf_counter() - begin)
                continue
            with contextlib.nullcontext() if mode == "average" else model.no_sync():
                logits, labels = model(*batches[number % BATCHES])
                loss = F.cross_entropy(logits, labels)
                accuracies(logits)
                answer["losses"].append(loss.item())
                optimizer.zero_grad()
                backward.timed(loss.backward)()
            model.require_forward_param_sync = True  # no_sync spares the next step its broadcast of buffers, too
            optimizer.step()
            answer["seconds"].append(time.perf_counter() - begin)
            answer["waited"].append(waited.take())
            answer["backward"].append(backward.take())
            number += 1
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
