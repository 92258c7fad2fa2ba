"""Predicts how well MoCo v2 scales over GPUs, from what its ranks say to each other in a step.

    python benchmarks/efficiency.py [--help]

A model, not a measurement. Collectives go around a ring: an all-reduce of n bytes over R ranks in 2 (R - 1) messages of
n / R one after the other, an all-gather of n bytes a rank in R - 1 of n. Images that change their rank go straight to
it. The gradients' averages hide behind the backward pass but for its last bucket; all else is waited for. Efficiency
is the time of a step without other ranks over that with them.
"""

import argparse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--step-ms", type=float, default=80, help="of a GPU alone: 3,200 pairs/s of ResNet-50, assumed")
    parser.add_argument("--backward", type=float, default=0.5, help="share of the step in the backward pass")
    parser.add_argument("--parameters", type=float, default=27.97e6, help="of the query encoder: ResNet-50, v2 head")
    parser.add_argument("--ranks", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512, 1024])
    parser.add_argument("--last-bucket", type=float, default=1 << 20, help="bytes that nothing is left to hide")
    parser.add_argument("--batch", type=int, default=256, help="images of a GPU")
    parser.add_argument("--pixels", type=int, default=224 * 224, help="of an image")
    parser.add_argument("--dim", type=int, default=128, help="numbers of a key")
    parser.add_argument("--gigabytes", type=float, default=300, help="a second between GPUs of a node of 8")
    parser.add_argument("--network", type=float, default=25, help="GB/s of a GPU between nodes")
    parser.add_argument("--microseconds", type=float, default=3, help="of a message in a node")
    parser.add_argument("--network-microseconds", type=float, default=12, help="of a message between nodes")
    args = parser.parse_args()

    print("| GPUs | MB a rank, exchange | deal | gradients, ms | images, ms | keys, ms | efficiency, exchange | deal |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for ranks in args.ranks:
        nodes = max(1, ranks / 8)
        rate = 1e9 * (args.gigabytes if nodes == 1 else args.network)
        crossing = 0 if nodes == 1 else 1 / 8  # of a ring's messages
        message = 1e-6 * ((1 - crossing) * args.microseconds + crossing * args.network_microseconds)

        def seconds(size, messages):
            return messages * (size / rate + message)

        gradients = 4 * args.parameters / ranks, 2 * (ranks - 1)  # bytes, messages
        last_bucket = args.last_bucket / ranks, 2 * (ranks - 1)
        keys = 4 * args.dim * args.batch, ranks - 1
        numbers = 48, 2 * (ranks - 1)  # metrics, and whether to stop
        images = 4 * 3 * args.pixels * args.batch * (ranks - 1) / ranks, 1
        step = 1e-3 * args.step_ms
        waited = (max(seconds(*last_bucket), seconds(*gradients) - args.backward * step) + seconds(*keys)
                  + seconds(*numbers))
        sent = sum(size * messages for size, messages in (gradients, keys, numbers))
        efficiencies = [step / (step + waited + more) for more in (seconds(*images), 0)]
        print(f"| {ranks:,} | {(sent + images[0]) / 1e6:.1f} | {sent / 1e6:.1f} | {1e3 * seconds(*gradients):.1f} | "
              f"{1e3 * seconds(*images):.1f} | {1e3 * seconds(*keys):.1f} | "
              + " | ".join(f"{100 * e:.0f} %" for e in efficiencies) + " |")


if __name__ == "__main__":
    main()
