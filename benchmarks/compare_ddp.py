"""What two ranks say to each other in a training step, and how much faster it is than DistributedDataParallel's.

    bazel run --config=parity //benchmarks:compare_ddp -- --moco=CLONE          as root

The same LibTorch, network, batches and Gloo, a core for each rank, taking turns. Each pair of ranks has a loopback of
its own (which takes root), whose counters give the bytes. A step's time is the slower rank's. The gradients'
averages are said to be hidden as far as the backward pass is not longer by the time that they take alone.
"""

import argparse
import ctypes
import fcntl
import json
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile

RANKS = 2
PAIRS = {"ours, exchange": [], "ours, deal": ["--deal"], "official": [], "tuned": ["--channels_last"]}
NEW_NETWORK = 0x40000000


def own_loopback():
    """A network namespace, for this process, with nothing but a loopback."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace of its own can be made; it takes root")
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name, flags = struct.unpack("16sh", fcntl.ioctl(control, get_flags, struct.pack("16sh", b"lo", 0)))
        fcntl.ioctl(control, set_flags, struct.pack("16sh", name, flags | up))


class Pair:
    """Ranks that do steps when told to."""

    def __init__(self, command, store):
        self.processes = []
        for rank in range(RANKS):
            self.processes.append(subprocess.Popen(
                [*command, f"--rank={rank}", f"--ranks={RANKS}", f"--store={store}"], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda rank=rank: self.settle(rank),
                env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}))

    def settle(self, rank):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
        if rank == 0:
            own_loopback()
            return
        with open(f"/proc/{self.processes[0].pid}/ns/net") as namespace:
            ctypes.CDLL(None).setns(namespace.fileno(), NEW_NETWORK)

    def bytes(self):
        """What both ranks have sent so far."""
        counters = pathlib.Path(f"/proc/{self.processes[0].pid}/net/dev").read_text()
        return int(counters.split("lo:")[1].split()[0])

    def steps(self, count, mode):
        """Medians over the steps: of the bytes that a rank sends (the mean), of seconds of the slower rank."""
        sent = self.bytes()
        for process in self.processes:
            print(count, mode, file=process.stdin, flush=True)
        answers = [process.stdout.readline() for process in self.processes]
        if not all(answers):
            sys.exit(f"a rank of {self.processes[0].args} stopped")
        ranks = [json.loads(answer) for answer in answers]
        found = {"MB": (self.bytes() - sent) / count / RANKS / 1e6}
        for what in ranks[0]:
            by_step = zip(*(rank[what] for rank in ranks), strict=True)
            found[what] = statistics.median(map(statistics.mean if what == "losses" else max, by_step))
        return found

    def close(self):
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="ddp_benchmark")
    parser.add_argument("official_ddp", help="official_ddp.py")
    parser.add_argument("python", help="with torch and torchvision")
    parser.add_argument("reference", help="reference.py of tests/parity")
    parser.add_argument("--moco", required=True, help="a clone of facebookresearch/moco with its commit 3402035")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of an image")
    parser.add_argument("--batch-size", type=int, default=64, help="of all ranks")
    parser.add_argument("--moco-k", type=int, default=65536)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3, help="of a turn")
    args = parser.parse_args()

    clone = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), args.moco)
    with tempfile.TemporaryDirectory() as work:
        builder = subprocess.run(["git", "-C", clone, "show", "3402035:moco/builder.py"], check=True,
                                 capture_output=True, text=True).stdout
        pathlib.Path(work, "official_builder.py").write_text(builder.replace(".cuda()", ""))
        common = ["--arch", args.arch, "--size", str(args.size), "--moco_k", str(args.moco_k), "--batch_size",
                  str(args.batch_size)]
        code = f"{work}:{pathlib.Path(args.reference).parent}"
        pairs = {}
        for number, (name, options) in enumerate(PAIRS.items()):
            side = ([args.program] if name.startswith("ours") else
                    [args.python, args.official_ddp, "--code", code])
            pairs[name] = Pair([*side, *common, *options], f"{work}/store{number}")
        print(f"{args.arch}, {args.size} px, batch {args.batch_size} of {RANKS} ranks, K {args.moco_k}; {args.turns} "
              f"turns of {args.steps} steps; load {os.getloadavg()[0]:.1f}")
        first = {name: pair.steps(1, "average")["losses"] for name, pair in pairs.items()}
        if not max(first.values()) < 1.01 * min(first.values()):  # shuffles differ
            sys.exit(f"the sides do not compute the same thing: {first}")
        for pair in pairs.values():
            pair.steps(3, "average")
        turns = {name: [] for name in pairs}
        for _ in range(args.turns):
            for name, pair in pairs.items():
                found = pair.steps(args.steps, "average")
                found["own backward"] = pair.steps(args.steps, "own")["backward"]
                found["alone"] = pairs["official"].steps(args.steps, "alone")["seconds"]
                turns[name].append(found)
        for name, found in turns.items():
            exposed = [max(0, turn["backward"] - turn["own backward"]) for turn in found]
            print(f"{name}: {spread([turn['MB'] for turn in found], '.1f')} MB a rank; step "
                  f"{spread([1e3 * turn['seconds'] for turn in found], '.0f')} ms; waits "
                  f"{spread([1e3 * turn['waited'] for turn in found], '.0f')} ms in collectives; averages alone "
                  f"{spread([1e3 * turn['alone'] for turn in found], '.0f')} ms, of which hidden "
                  f"{spread([100 * (1 - e / turn['alone']) for e, turn in zip(exposed, found)], '.0f')} %")
            for base in ("official", "tuned"):
                ratios = [b["seconds"] / a["seconds"] for a, b in zip(found, turns[base])]
                print(f"    {base}'s time is {spread(ratios, '.2f')} of it")
        for pair in pairs.values():
            pair.close()


if __name__ == "__main__":
    main()
