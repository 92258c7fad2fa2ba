"""The official code's side of step_benchmark.cc: the same protocol around its own MoCo.

The loop is main_moco.py's: forward, loss, accuracy, optimizer; or, with --official=demo, that of the CIFAR demo. The data
parallel wrapper, which costs time and does nothing for one process, is left out. On a GPU the code is as it is; for a CPU,
the caller removes `.cuda()` from its files.
"""

import argparse
import contextlib
import functools
import itertools
import json
import resource
import sys
import time

import torch
from torch.nn import functional as F

BATCHES = 4  # as step_benchmark.cc
WAITS = ("cudaStreamSynchronize", "cudaEventSynchronize", "cudaMemcpy")  # as device_trace.cc


def accuracies(logits):
    """main_moco.py's accuracy of the first and the first five, with the own key at place 0; on the device, as there."""
    places = logits.topk(5).indices
    return [(places[:, :k] == 0).any(1).float().mean() for k in (1, 5)]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--code", required=True, help="folders of official_builder.py or official_demo.py, and reference.py")
    parser.add_argument("--official", default="builder", choices=("builder", "demo"))
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--bn_splits", type=int, default=1, help="of the demo")
    parser.add_argument("--head", default="mlp", choices=("mlp", "linear"))
    parser.add_argument("--moco_k", type=int, default=65536)
    parser.add_argument("--moco_m", type=float, default=0.999)
    parser.add_argument("--moco_t", type=float, default=0.2)
    parser.add_argument("--precision", default="fp32", choices=("fp64", "fp32", "bf16"))
    parser.add_argument("--batches", type=int, default=BATCHES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--channels_last", action="store_true", help="and foreach SGD")
    parser.add_argument("--foreach", action="store_true", help="foreach SGD alone: the demo's split norm takes no channels_last")
    parser.add_argument("--compile", nargs="?", const="inductor", metavar="BACKEND")
    parser.add_argument("--tf32", type=int, help="0 or 1, in convolutions; left out: PyTorch's default")
    parser.add_argument("--cudnn_benchmark", action="store_true")
    parser.add_argument("--our_shuffles", action="store_true", help="shuffle keys as step_benchmark does, slowly")
    return parser.parse_args()


def make(args):
    """The official model, and its loss from two views."""
    import reference
    if args.official == "builder":
        import official_builder
        backbone = functools.partial(reference.backbone(args.arch), norm_layer=torch.nn.BatchNorm2d)
        moco = official_builder.MoCo(backbone, 128, args.moco_k, args.moco_m, args.moco_t, args.head == "mlp")

        def loss_of(x_q, x_k):
            logits, labels = moco(x_q, x_k)
            loss = F.cross_entropy(logits, labels)
            accuracies(logits)
            return loss
        return moco, loss_of

    import official_demo
    name = args.arch.split(":")[0]
    moco = official_demo.ModelMoCo(128, args.moco_k, args.moco_m, args.moco_t, name, args.bn_splits, symmetric=False)
    # The demo draws its stem otherwise; both sides start from ours.
    torch.manual_seed(0)
    ours = reference.MoCo(args.arch, args.head, args.bn_splits, 128, args.moco_k, args.moco_m, args.moco_t)
    with torch.no_grad():
        for theirs, mine in ((moco.encoder_q, ours.f_q), (moco.encoder_k, ours.f_k)):
            for p, q in zip(theirs.parameters(), mine.parameters(), strict=True):
                p.copy_(q)
        moco.queue.copy_(ours.queue)
    return moco, moco


def trace(device, work, steps):
    """What device_trace.cc records, for one step."""
    from torch.profiler import ProfilerActivity, profile
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
    with profile(activities=activities) as recorded:
        work()
        synchronize(device)
    events = [event for event in recorded.profiler.kineto_results.events() if not event.is_user_annotation()]
    waits = sum(event.name() in WAITS for event in events)
    of_device = [event for event in events if event.device_type().name == device.type.upper()]
    copies = sum(event.name().startswith(("Memcpy", "Memset")) for event in of_device)
    answer = {"kernels": (len(of_device) - copies) / steps, "copies": copies / steps, "waits": waits / steps}
    busy, end = 0, 0
    for start, stop in sorted((event.start_ns(), event.end_ns()) for event in of_device):
        busy += max(stop - max(start, end), 0)
        end = max(end, stop)
    if of_device:
        answer["busy"] = busy / max(end - min(event.start_ns() for event in of_device), 1)
    return answer


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak(device):
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    args = arguments()
    sys.path += args.code.split(":")
    import reference

    first = sys.stdin.readline()  # until it is asked, a process takes nothing of the device
    device = torch.device(args.device)
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = args.cudnn_benchmark
    if args.tf32 is not None:
        torch.backends.cudnn.allow_tf32 = bool(args.tf32)
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", store=torch.distributed.HashStore(),
                                         rank=0, world_size=1)
    torch.manual_seed(0)
    moco, loss_of = make(args)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    dtype = torch.double if args.precision == "fp64" else torch.float
    moco.to(device=device, dtype=dtype, memory_format=layout).train()
    optimizer = torch.optim.SGD(moco.parameters(), 0.03, momentum=0.9, weight_decay=1e-4,
                                foreach=True if args.channels_last or args.foreach else None)
    if args.compile:
        moco.encoder_q.compile(backend=args.compile)
        moco.encoder_k.compile(backend=args.compile)
    batches = [[x.to(device=device, dtype=dtype, memory_format=layout) for x in
                reference.views(i, args.batch_size, 3, args.size, args.size)] for i in range(args.batches)]
    bf16 = args.precision == "bf16"
    autocast = torch.autocast(device.type, torch.bfloat16) if bf16 else contextlib.nullcontext()

    number = 0

    def steps(count, answer):
        nonlocal number
        for _ in range(count):
            begin = time.perf_counter()
            if args.our_shuffles:
                torch.randperm = lambda n: reference.permutation(0, number, n)
            with autocast:
                loss = loss_of(*batches[number % args.batches])
            answer["losses"].append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            answer["seconds"].append(time.perf_counter() - begin)
            number += 1

    for line in itertools.chain([first] if first else [], sys.stdin):
        *word, count = line.split()
        count = int(count)
        answer = {"losses": [], "seconds": []}
        synchronize(device)
        begin = time.perf_counter()
        if word == ["trace"]:
            answer |= trace(device, lambda: steps(count, answer), count)
        else:
            steps(count, answer)
            synchronize(device)
        print(json.dumps(answer | {"turn": time.perf_counter() - begin, "peak": peak(device)}), flush=True)


if __name__ == "__main__":
    main()
