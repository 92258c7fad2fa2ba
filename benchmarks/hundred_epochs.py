"""Many epochs beside the reference: the demo's network, ours and in Python, for several seeds (docs/fidelity.md).

    bazel build //moco:pretrain //lincls && bazel build --config=parity @reference_python//:python
    python3 benchmarks/hundred_epochs.py run RESULTS --images FOLDER --python PYTHON    # FOLDER has train/ and val/, by class
    python3 benchmarks/hundred_epochs.py table RESULTS.json
    python3 benchmarks/hundred_epochs.py curves RESULTS.json curves.svg                  # needs matplotlib

`run` starts, for each seed, a run of each side after the other, on the whole machine, with the settings of
--preset=demo; it repeats nothing that the folder RESULTS has, and goes on where it was interrupted. The sides have the
same initial weights for a seed; their images come in other orders and views. At the end of each run our lincls trains the
demo's classifier on its encoder. RESULTS.json has everything that `table` and `curves` need.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
# What --preset=demo says, for cifar_run.py.
PYTHON_SETTINGS = ["--arch", "resnet_small:width=64,blocks=1,stages=3,stem=imagenet", "--mlp", "--batch-size", "128", "--moco-dim",
                   "64", "--moco-k", "256", "--bn-splits", "4", "--lr", "0.06", "--smallest-crop", "0.2", "--knn-k", "20"]
SIDES = {"ours": "fp32", "ours, bf16": "bf16", "Python": None}
# Writes the encoder of cifar_run.py's state as main_moco.py would.
CONVERT = """
import sys, torch
epoch, encoder, *_ = torch.load(sys.argv[1])
torch.save({"epoch": epoch, "arch": sys.argv[3],
            "state_dict": {"module.encoder_q." + name: value for name, value in encoder.items()}}, sys.argv[2])
"""


def timed(command, folder, output):
    """Runs the command. The seconds of all its runs, also of those that were killed, are in folder/seconds."""
    path = folder / "seconds"
    before = float(path.read_text()) if path.exists() else 0
    start = time.monotonic()
    with (folder / output).open("a") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    while True:
        try:
            code = process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        new = path.with_suffix(".new")
        new.write_text(str(before + time.monotonic() - start))
        new.rename(path)
        if code is not None:
            break
    if code != 0:
        sys.exit(f"{command[0]} ended with code {code}; see {folder / output}")
    return float(path.read_text())


def by_epoch(lines, steps):
    """The means of loss by epoch, and kNN by epochs done."""
    losses = [line["epoch_loss"] for line in lines if "epoch_loss" in line]
    knn = {str(line["step"] // steps): line["knn"] for line in lines if "knn" in line}
    return {"loss": losses, "knn": knn}


def run_one(args, side, seed, folder):
    folder.mkdir(parents=True, exist_ok=True)
    precision = SIDES[side]
    steps = sum(1 for _ in (args.images / "train").glob("*/*")) // 128
    common = ["--epochs", str(args.epochs), "--knn-every", str(args.knn_every), "--seed", str(seed)]
    if precision:
        run = folder / "run"
        resume = ["--resume", str(run)] if any(run.glob("checkpoints/*")) else [str(args.images), "--run-dir", str(run),
                                                                              "--preset=demo", *common, "--precision",
                                                                              precision, "--monitor-every", "0"]
        seconds = timed([str(args.pretrain), *resume], folder, "said")
        metrics, encoder = run / "metrics.jsonl", run
    else:
        metrics, encoder = folder / "metrics.jsonl", folder / "encoder.pth.tar"
        seconds = timed([str(args.python), str(HERE / "tests/parity/cifar_run.py"), str(args.images), "--out", str(metrics),
                         *PYTHON_SETTINGS, *common], folder, "said")
        subprocess.run([str(args.python), "-c", CONVERT, f"{metrics}.state", str(encoder), PYTHON_SETTINGS[1]], check=True)
    result = by_epoch([json.loads(line) for line in metrics.read_text().splitlines()], steps)
    said = subprocess.run([str(args.lincls), str(args.images), "--preset=demo", "--pretrained", str(encoder), "--run-dir",
                           str(folder / "lincls"), "--seed", str(seed)], check=True, capture_output=True, text=True)
    (folder / "lincls_said").write_text(said.stdout + said.stderr)
    rows = [json.loads(line) for line in (folder / "lincls/metrics.jsonl").read_text().splitlines()]
    probe = [row["validation_acc1"] for row in rows if "validation_acc1" in row][-1]
    return {"side": side, "seed": seed, "seconds": seconds, "probe": probe, **result}


def run(args):
    path = args.results.with_suffix(".json")
    results = json.loads(path.read_text()) if path.exists() else []
    done = {(result["side"], result["seed"]) for result in results}
    for seed in args.seeds:
        for side in args.sides:
            if (side, seed) not in done:
                folder = args.results / f"{re.sub('[^a-zA-Z0-9]+', '_', side)}_{seed}"
                results.append(run_one(args, side, seed, folder))
                path.write_text(json.dumps(results, indent=1) + "\n")
                print(json.dumps({key: results[-1][key] for key in ("side", "seed", "seconds", "probe")}), flush=True)


def last_knn(result):
    return 100 * result["knn"][max(result["knn"], key=int)]


def spread(values, digits=1):
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def of_side(results, side):
    return [result for result in results if result["side"] == side]


def table(args):
    results = json.loads(args.results.read_text())
    theirs = of_side(results, "Python")
    print("| | runs | loss of the last epoch | kNN, % | linear probe, % | time, min | time / Python's |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for side in SIDES:
        ours = of_side(results, side)
        ratios = [mine["seconds"] / same["seconds"] for mine in ours for same in theirs if mine["seed"] == same["seed"]]
        print(f"| {side} | {len(ours)} | {spread([r['loss'][-1] for r in ours], 3)} | {spread([last_knn(r) for r in ours])} "
              f"| {spread([100 * r['probe'] for r in ours])} | {spread([r['seconds'] / 60 for r in ours])} "
              f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")
    for side in list(SIDES)[:-1]:
        for name, value in (("kNN", last_knn), ("probe", lambda r: 100 * r["probe"])):
            a, b = ([value(r) for r in of_side(results, s)] for s in (side, "Python"))
            difference = statistics.mean(a) - statistics.mean(b)
            error = (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5
            equal = abs(difference) <= max(2 * error, 0.5)
            print(f"{side} - Python, {name}: {difference:+.2f} points, standard error {error:.2f}: "
                  f"{'equal' if equal else 'not equal'} (within two standard errors, or 0.5 points)")


def curves(args):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "mocopp"
    from matplotlib import pyplot
    results = json.loads(args.results.read_text())
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for side, colour in zip(SIDES, ("tab:blue", "tab:orange", "black")):
        runs = of_side(results, side)
        losses = list(zip(*(run["loss"] for run in runs)))
        epochs = range(1, len(losses) + 1)
        left.plot(epochs, [statistics.mean(x) for x in losses], color=colour, label=f"{side}, {len(runs)} seeds")
        left.fill_between(epochs, [min(x) for x in losses], [max(x) for x in losses], color=colour, alpha=0.2, lw=0)
        done = sorted(map(int, runs[0]["knn"]))
        accuracies = [[100 * run["knn"][str(epoch)] for run in runs] for epoch in done]
        minutes = statistics.mean(run["seconds"] for run in runs) / 60
        for axes, unit in ((middle, 1), (right, minutes / done[-1])):
            x = [epoch * unit for epoch in done]
            axes.plot(x, [statistics.mean(a) for a in accuracies], color=colour)
            axes.fill_between(x, [min(a) for a in accuracies], [max(a) for a in accuracies], color=colour, alpha=0.2, lw=0)
    left.set(xlabel="epoch", ylabel="loss")
    left.legend(frameon=False)
    middle.set(xlabel="epochs done", ylabel="kNN accuracy, %")
    right.set(xlabel="minutes", ylabel="kNN accuracy, %")
    figure.savefig(args.svg, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run")
    command.set_defaults(work=run)
    command.add_argument("results", type=pathlib.Path)
    command.add_argument("--images", type=lambda path: pathlib.Path(path).resolve(), required=True)
    command.add_argument("--python", required=True, help="with torch and torchvision")
    command.add_argument("--pretrain", default=HERE / "bazel-bin/moco/pretrain")
    command.add_argument("--lincls", default=HERE / "bazel-bin/lincls/lincls")
    command.add_argument("--epochs", type=int, default=100)
    command.add_argument("--knn-every", type=int, default=5)
    command.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    command.add_argument("--sides", nargs="+", default=list(SIDES), choices=SIDES)
    for name, work in (("table", table), ("curves", curves)):
        command = commands.add_parser(name)
        command.set_defaults(work=work)
        command.add_argument("results", type=pathlib.Path)
    command.add_argument("svg")
    args = parser.parse_args()
    args.work(args)


if __name__ == "__main__":
    main()
