"""Command lines as Python's argparse reads them: that of main_moco.py, against the settings that //moco:pretrain prints.

    command_lines_test.py PRETRAIN
"""

import argparse
import random
import subprocess
import sys

LINES = 40


def main_moco_parser():
    """The options of main_moco.py that decide the training, and the adaptation's -data."""
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("-data", default="")
    add("-a", "--arch", default="resnet50")
    add("-j", "--workers", default=32, type=int)
    add("--epochs", default=200, type=int)
    add("--start-epoch", default=0, type=int)
    add("-b", "--batch-size", default=256, type=int)
    add("--lr", "--learning-rate", default=0.03, type=float)
    add("--schedule", default=[120, 160], nargs="*", type=int)
    add("--momentum", default=0.9, type=float)
    add("--wd", "--weight-decay", default=1e-4, type=float, dest="weight_decay")
    add("-p", "--print-freq", default=10, type=int)
    add("--world-size", default=-1, type=int)
    add("--rank", default=-1, type=int)
    add("--dist-url", default="tcp://224.66.41.62:23456")
    add("--dist-backend", default="nccl")
    add("--seed", default=0, type=int)  # None there
    add("--gpu", default=None, type=int)
    add("--multiprocessing-distributed", action="store_true")
    add("--moco-dim", default=128, type=int)
    add("--moco-k", default=65536, type=int)
    add("--moco-m", default=0.999, type=float)
    add("--moco-t", default=0.07, type=float)
    add("--mlp", action="store_true")
    add("--aug-plus", action="store_true")
    add("--cos", action="store_true")
    return parser


# What names may be cut to; there are more names here, so that not every cut is as clear as there.
SHORTEST = ("--ar", "--work", "--ep", "--sta", "--ba", "--le", "--sc", "--mom", "--wei", "--print-f", "--worl", "--ra",
            "--dist-u", "--dist-b", "--se", "--g", "--mu", "--moco-d", "--ml", "--au", "--co")


def value(action, draw):
    if action.dest == "epochs":
        return str(draw.randrange(100, 300))
    if action.dest in ("world_size", "rank", "gpu"):
        return str(draw.randrange(-1, 3))
    if action.type is int:
        return str(draw.randrange(1, 90))
    if action.type is float:
        return draw.choice([".5", "0.25", "1e-2", "+0.75", "1."])
    return draw.choice({"arch": ["resnet18", "wide_resnet50_2"], "data": ["DIR", "./some folder"]}.get(
        action.dest, ["tcp://localhost:10004", "gloo"]))


def words(action, draw):
    """One use of an option, in one of the ways that argparse takes."""
    name = draw.choice(action.option_strings)
    short = not name.startswith("--") and len(name) == 2
    for cut in SHORTEST:
        if name.startswith(cut):
            name = name[:draw.randrange(len(cut), len(name) + 1)]
            break
    if action.nargs == 0:
        return [name]
    if action.nargs == "*":
        return [name, *(value(action, draw) for _ in range(draw.randrange(4)))]
    given = value(action, draw)
    if short and draw.random() < 0.3:
        return [name + given]
    return [f"{name}={given}"] if draw.random() < 0.3 and name != "-data" else [name, given]


def settings(args):
    """What pretrain prints for these."""
    schedule = ("cosine:warmup=0,per_step=false" if args.cos else
                f"step:at={' '.join(map(str, args.schedule))},factor=0.1,warmup=0")
    return {"workers": args.workers, "epochs": args.epochs, "start-epoch": args.start_epoch,
            "batch-size": args.batch_size, "lr": args.lr, "print-freq": args.print_freq, "seed": args.seed,
            "moco-k": args.moco_k, "moco-m": args.moco_m, "lr-schedule": schedule,
            "head": f"{'mlp' if args.mlp else 'linear'}:dim={args.moco_dim}", "arch": args.arch,
            "loss": f"info_nce:temperature={args.moco_t}",
            "optimizer": f"sgd:momentum={args.momentum},weight_decay={args.weight_decay}",
            "views": "gaussian_blur" if args.aug_plus else ""}


def same(name, ours, theirs):
    if name == "arch":
        return ours.split(":")[0] == theirs
    if name == "views":
        return ("gaussian_blur" in ours) == bool(theirs)
    if isinstance(theirs, (int, float)):
        return float(ours) == theirs
    numbers = [[float(word) if word.replace("e-", "").replace(".", "").isdigit() else word
                for word in text.replace("=", " ").replace(",", " ").split()] for text in (ours, theirs)]
    return numbers[0] == numbers[1]


def main():
    parser, draw = main_moco_parser(), random.Random(1)
    actions = [action for action in parser._actions if action.dest != "help"]
    used = set()
    for _ in range(LINES):
        line = ["-data", "DIR"]  # without data there are the demo's settings
        for action in draw.choices(actions, k=draw.randrange(1, 12)):
            line += words(action, draw)
            used.add(action.dest)
        expected = settings(parser.parse_args(line))
        done = subprocess.run([sys.argv[1], *line, "--print-config"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{line}: {done.stderr}")
        ours = dict(text.removeprefix("--").split("=", 1) for text in done.stdout.splitlines())
        for name, theirs in expected.items():
            if not same(name, ours[name], theirs):
                sys.exit(f"{line}: --{name} is {ours[name]}, argparse has {theirs}")
    missing = {action.dest for action in actions} - used
    assert not missing, missing
    print(f"{LINES} command lines are read as argparse reads them")


if __name__ == "__main__":
    main()
