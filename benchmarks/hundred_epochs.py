"""Many epochs beside the reference: the demo's network, ours and in Python, for several seeds (docs/fidelity.md).

    bazel build //moco:pretrain //lincls:all && bazel build --config=parity @reference_python//:python
    # FOLDER has train/ and val/, by class; TEST has images by class.
    python3 benchmarks/hundred_epochs.py run RESULTS --images FOLDER --test TEST --python PYTHON
    python3 benchmarks/hundred_epochs.py time TIMES.json --images FOLDER --python PYTHON
    python3 benchmarks/hundred_epochs.py table TIMES.json RESULTS.json...
    python3 benchmarks/hundred_epochs.py curves TIMES.json curves.svg RESULTS.json...    # needs matplotlib

`run` trains a run of each side for each seed, with the settings of --preset=demo; it repeats nothing that the folder RESULTS
has, and goes on where it was interrupted. The sides have the same initial weights for a seed; their images come in other
orders and views. The kNN accuracies by epoch are those of val/. At the end of each run our programs classify the images of
TEST by kNN and by the demo's linear classifier. TEST should be large: with 1,000 images, chance alone changes an accuracy by
about 1.5 points. RESULTS.json has the losses and accuracies. The machine may be busy, and `--threads 1` leaves a core to
another `run`.

`time` measures the time of an epoch on a quiet machine, on all cores: the sides take turns, and the time of an epoch is the
difference between runs of three epochs and of one, over two. "Python, tuned" is the Python side with OMP_WAIT_POLICY=passive,
so that the threads of the network leave the cores to the processes that load images.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
PRETRAIN, LINCLS = (str(HERE / "bazel-bin" / path) for path in ("moco/pretrain", "lincls"))
# What --preset=demo says, for cifar_run.py.
PYTHON_SETTINGS = ["--arch", "resnet_small:width=64,blocks=1,stages=3,stem=imagenet", "--mlp", "--batch-size", "128", "--moco-dim",
                   "64", "--moco-k", "256", "--bn-splits", "4", "--lr", "0.06", "--smallest-crop", "0.2", "--knn-k", "20"]
SIDES = {"ours": "fp32", "ours, bf16": "bf16", "Python": None}
TUNED = "Python, tuned"
# Of the linear classifier, the same for all: those that ours would take from a run.
NORMALIZE = "to_tensor|normalize:mean=0.4914 0.4822 0.4465,std=0.2023 0.1994 0.2010"
TRAINING_VIEWS = f"--views=random_resized_crop:size=32|flip|{NORMALIZE}"
VIEWS = f"--eval-views=resize:size=32|center_crop:size=32|{NORMALIZE}"
# Writes the encoder of cifar_run.py's state as main_moco.py would.
CONVERT = """
import sys, torch
epoch, encoder, *_ = torch.load(sys.argv[1])
torch.save({"epoch": epoch, "state_dict": {"module.encoder_q." + name: value for name, value in encoder.items()}}, sys.argv[2])
"""


def run_command(command, said, environment=None):
    with said.open("a") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment).returncode
    if code != 0:
        sys.exit(f"{command[0]} ended with code {code}; see {said}")


def ours(args, run, precision, words):
    """The command that begins or goes on with a run of ours."""
    if any(run.glob("checkpoints/*")):
        return [PRETRAIN, "--resume", str(run)]
    return [PRETRAIN, str(args.images), "--run-dir", str(run), "--preset=demo", "--precision", precision,
            "--monitor-every", "0", *words]


def python(args, metrics, words):
    return [str(args.python), str(HERE / "tests/parity/cifar_run.py"), str(args.images), "--out", str(metrics), *PYTHON_SETTINGS,
            *words]


def by_epoch(lines, steps):
    """The means of loss by epoch, and kNN by epochs done."""
    losses = [line["epoch_loss"] for line in lines if "epoch_loss" in line]
    knn = {str(line["step"] // steps): line["knn"] for line in lines if "knn" in line}
    return {"loss": losses, "knn": knn}


def evaluate(args, seed, encoder, folder):
    """The accuracies of the test images by kNN and by a linear classifier."""
    training, said = args.images / "train", folder / "evaluation_said"
    pretrained = ["--pretrained", str(encoder), "--arch", PYTHON_SETTINGS[1], VIEWS]
    for images, name in ((training, "bank"), (args.test, "queries")):
        run_command([f"{LINCLS}/features", str(images), *pretrained, "--out", str(folder / name)], said)
    run_command([f"{LINCLS}/knn", str(folder / "bank"), str(folder / "queries"), "--k", PYTHON_SETTINGS[-1], "--t",
                 "0.1", "--out", str(folder / "knn.csv")], said)
    classifier = folder / "lincls"
    shutil.rmtree(classifier, ignore_errors=True)  # of an evaluation that was interrupted
    run_command([f"{LINCLS}/lincls", str(training), "--val", str(args.test), "--preset=demo", *pretrained,
                 TRAINING_VIEWS, "--run-dir", str(classifier), "--seed", str(seed)], said)
    rows = [json.loads(line) for line in (classifier / "metrics.jsonl").read_text().splitlines()]
    return {"test_knn": float((folder / "knn.csv").read_text().splitlines()[1].split(",")[-1]),
            "test_probe": [row["validation_acc1"] for row in rows if "validation_acc1" in row][-1]}


def run_one(args, side, seed, folder):
    folder.mkdir(parents=True, exist_ok=True)
    precision = SIDES[side]
    steps = sum(1 for _ in (args.images / "train").glob("*/*")) // 128
    words = ["--epochs", str(args.epochs), "--knn-every", str(args.knn_every), "--seed", str(seed)]
    if args.threads:
        words += ["--threads", str(args.threads), "--workers", str(args.threads)]
    if precision:
        metrics, encoder = folder / "run/metrics.jsonl", folder / "run"
        run_command(ours(args, encoder, precision, words), folder / "said")
    else:
        metrics, encoder = folder / "metrics.jsonl", folder / "encoder.pth.tar"
        run_command(python(args, metrics, words), folder / "said")
        subprocess.run([str(args.python), "-c", CONVERT, f"{metrics}.state", str(encoder)], check=True)
    result = by_epoch([json.loads(line) for line in metrics.read_text().splitlines()], steps)
    return {"side": side, "seed": seed, **result, **evaluate(args, seed, encoder, folder)}


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
                print(json.dumps({key: results[-1][key] for key in ("side", "seed", "test_knn", "test_probe")}), flush=True)


def seconds_of_epoch(args, side):
    """Of a run that begins, without the evaluation."""

    def seconds(epochs):
        with tempfile.TemporaryDirectory() as folder:
            folder, environment = pathlib.Path(folder), dict(os.environ)
            words = ["--epochs", str(epochs), "--seed", "1"]
            if precision := SIDES.get(side):
                command = ours(args, folder / "run", precision, [*words, "--knn-every", "0"])
            else:
                command = python(args, folder / "metrics.jsonl", words)
            if side == TUNED:
                environment["OMP_WAIT_POLICY"] = "passive"
            start = time.monotonic()
            run_command(command, folder / "said", environment)
            return time.monotonic() - start

    return (seconds(3) - seconds(1)) / 2


def measure(args):
    times = {side: [] for side in [*SIDES, TUNED]}
    for _ in range(args.turns):
        for side in times:
            times[side].append(seconds_of_epoch(args, side))
        args.times.write_text(json.dumps(times) + "\n")
        print({side: round(seconds[-1], 2) for side, seconds in times.items()}, flush=True)


def load(paths):
    return [result for path in paths for result in json.loads(path.read_text())]


def spread(values, digits=1):
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def percent(runs, key):
    return spread([100 * run[key] for run in runs])


def of_side(results, side):
    return [result for result in results if result["side"] == side]


def ratio(times, side, reference):
    ratios = [a / b for a, b in zip(times[side], times[reference])]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table(args):
    results, times = load(args.results), json.loads(args.times.read_text())
    print("| | runs | loss of the last epoch | kNN of TEST, % | linear classifier, % | an epoch, s | of Python's | of tuned Python's |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for side in SIDES:
        runs = of_side(results, side)
        print(f"| {side} | {len(runs)} | {spread([r['loss'][-1] for r in runs], 3)} | {percent(runs, 'test_knn')} "
              f"| {percent(runs, 'test_probe')} | {statistics.median(times[side]):.1f} ({min(times[side]):.1f} to "
              f"{max(times[side]):.1f}) | {ratio(times, side, 'Python')} | {ratio(times, side, TUNED)} |")
    for side in list(SIDES)[:-1]:
        for name, key in (("kNN", "test_knn"), ("linear classifier", "test_probe")):
            a, b = ([100 * r[key] for r in of_side(results, s)] for s in (side, "Python"))
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
    results, times = load(args.results), json.loads(args.times.read_text())
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for side, colour in zip(SIDES, ("tab:blue", "tab:orange", "black")):
        runs = of_side(results, side)
        losses = list(zip(*(run["loss"] for run in runs)))
        epochs = range(1, len(losses) + 1)
        left.plot(epochs, [statistics.mean(x) for x in losses], color=colour, label=f"{side}, {len(runs)} seeds")
        left.fill_between(epochs, [min(x) for x in losses], [max(x) for x in losses], color=colour, alpha=0.2, lw=0)
        done = sorted(map(int, runs[0]["knn"]))
        accuracies = [[100 * run["knn"][str(epoch)] for run in runs] for epoch in done]
        for axes, unit in ((middle, 1), (right, statistics.median(times[side]) / 60)):
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

    def starts_programs(name, work):
        command = commands.add_parser(name)
        command.set_defaults(work=work)
        command.add_argument("--images", type=lambda path: pathlib.Path(path).resolve(), required=True)
        command.add_argument("--python", required=True, help="with torch and torchvision")
        return command

    command = starts_programs("run", run)
    command.add_argument("results", type=pathlib.Path)
    command.add_argument("--test", type=lambda path: pathlib.Path(path).resolve(), required=True)
    command.add_argument("--epochs", type=int, default=100)
    command.add_argument("--knn-every", type=int, default=5)
    command.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    command.add_argument("--sides", nargs="+", default=list(SIDES), choices=SIDES)
    command.add_argument("--threads", type=int, help="of each side; by default one per core")
    command = starts_programs("time", measure)
    command.add_argument("times", type=pathlib.Path)
    command.add_argument("--turns", type=int, default=5)
    for name, work in (("table", table), ("curves", curves)):
        command = commands.add_parser(name)
        command.set_defaults(work=work)
        command.add_argument("times", type=pathlib.Path)
        if work == curves:
            command.add_argument("svg")
        command.add_argument("results", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    args.work(args)


if __name__ == "__main__":
    main()
