"""Do measures without labels help to choose a run? Computes the tables of docs/recipes/choosing_a_run.md.

    bazel build //moco:pretrain && python3 benchmarks/choosing_a_run.py FOLDER [--program=bazel-bin/moco/pretrain]

Runs of different settings pretrain on the demo's images, one after the other; each ends with the measures, and with
the accuracy of a linear probe on the test images, which no measure sees the labels of. The tables are the last values
of each run, and Spearman's correlation of each value with the probe's accuracy over the runs, with the 5 and 95 %
percentiles of a bootstrap over runs. Runs that FOLDER already has are not repeated.
"""

import argparse
import json
import pathlib
import random
import subprocess

EPOCHS = 3
BASE = ["--preset=demo", "--arch=resnet_small:width=32,blocks=1,stages=3,stem=imagenet"]  # half as wide as the demo's
NORMALIZE = "to_tensor|normalize:mean=0.4914 0.4822 0.4465,std=0.2023 0.1994 0.201"
COLOURS = "color_jitter:p=0.8,brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1|grayscale:p=0.2"

# What differs from the demo's settings. The runs of the second part are broken on purpose.
SETTINGS = {
    "as the demo": [],
    "temperature 0.05": ["--moco-t=0.05"],
    "temperature 0.2": ["--moco-t=0.2"],
    "temperature 0.5": ["--moco-t=0.5"],
    "temperature 1": ["--moco-t=1"],
    "momentum 0.9": ["--moco-m=0.9"],
    "momentum 0.999": ["--moco-m=0.999"],
    "1 epoch": ["--epochs=1"],
    "6 epochs": ["--epochs=6"],
    "2,048 keys": ["--moco-k=2048"],
    "views: small crops": [f"--views=random_resized_crop:size=32,scale_min=0.05|flip|{COLOURS}|{NORMALIZE}"],
    "views: no colours": [f"--views=random_resized_crop:size=32,scale_min=0.2|flip|{NORMALIZE}"],
    "views: no crops": [f"--views=flip|center_crop:size=32|{COLOURS}|{NORMALIZE}"],
    "lr 0.3": ["--lr=0.3"],
}
BROKEN = {
    "no views: crowded task": [f"--views=center_crop:size=32|{NORMALIZE}"],
    "momentum 0": ["--moco-m=0", "--lr=0.3"],
    "weight decay 0.1: collapsed": ["--weight-decay=0.1"],
    "no splits, batches of 8: leaking": ["--bn-splits=1", "--batch-size=8", "--lr=0.03"],
    "20,000 keys: crowded": ["--moco-k=20000"],
}

RESULT = "probe"
METRICS = ("rankme_backbone", "rankme_head", "lidar_backbone", "lidar_head", "alignment_backbone", "alignment_head",
           "uniformity_backbone", "uniformity_head", "loss_of_chance", "epoch_top1", "spread", "dimensions", "leak")


def ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for i in order[start:end]:
            result[i] = (start + end + 1) / 2
        start = end
    return result


def spearman(x, y):
    """None if all values are the same."""
    a, b = ranks(x), ranks(y)
    mean = (len(x) + 1) / 2
    xy, xx, yy = (sum((p - mean) * (q - mean) for p, q in zip(u, v)) for u, v in ((a, b), (a, a), (b, b)))
    return xy / (xx * yy) ** 0.5 if xx * yy > 0 else None


def interval(x, y, count=10_000, seed=1):
    """The 5 and 95 % percentiles of Spearman's correlation when runs are drawn with replacement."""
    chance = random.Random(seed)
    found = []
    while len(found) < count:
        drawn = [chance.randrange(len(x)) for _ in x]
        value = spearman([x[i] for i in drawn], [y[i] for i in drawn])
        if value is not None:
            found.append(value)
    found.sort()
    return found[int(0.05 * count)], found[int(0.95 * count)]


def last_values(folder):
    """The last value of each metric; empty before the run's end."""
    path = folder / "metrics.jsonl"
    values = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        values.update(json.loads(line))
    return values if (folder / "report.html").exists() else {}


def train(program, folder, name, flags, arguments):
    run = folder / "".join(c if c.isalnum() else "_" for c in name)
    if not last_values(run):
        epochs = next((int(flag[9:]) for flag in flags if flag.startswith("--epochs=")), EPOCHS)
        command = [program, *BASE, "--seed=1", f"--epochs={epochs}", f"--knn-every={epochs}", f"--monitor-every={epochs}",
                   "--probe", "--keep=1", *flags, *arguments, f"--run-dir={run}"]
        print("+", " ".join(map(str, command)), flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return last_values(run)


def correlations(runs):
    print("| value | Spearman | 5 to 95 % |\n| --- | --- | --- |")
    rows = []
    for metric in METRICS:
        known = [values for values in runs if metric in values]
        x, y = [v[metric] for v in known], [v[RESULT] for v in known]
        value = spearman(x, y) if len(known) > 2 else None
        if value is not None:
            rows.append((value, metric, *interval(x, y)))
    for value, metric, low, high in sorted(rows, reverse=True):
        print(f"| `{metric}` | {value:+.2f} | {low:+.2f} to {high:+.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default="bazel-bin/moco/pretrain")
    arguments, further = parser.parse_known_args()
    results = {}
    for name, flags in {**SETTINGS, **BROKEN}.items():
        try:
            results[name] = train(arguments.program.resolve(), arguments.folder.resolve(), name, flags, further)
        except subprocess.CalledProcessError as error:  # such as a loss that is not finite
            print(f"{name}: exit code {error.returncode}", flush=True)
    results = {name: values for name, values in results.items() if RESULT in values}
    print("\n| run | probe | kNN |", " | ".join(METRICS), "|\n| --- |" + " --- |" * (len(METRICS) + 2))
    for name, values in sorted(results.items(), key=lambda item: -item[1][RESULT]):
        print(f"| {name} | {100 * values[RESULT]:.1f} % | {100 * values['knn']:.1f} % |",
              " | ".join(f"{values[m]:.3g}" if m in values else "" for m in METRICS), "|")
    whole = [values for name, values in results.items() if name not in BROKEN]
    print(f"\nAll {len(results)} runs:\n")
    correlations(list(results.values()))
    print(f"\nWithout the broken ones, {len(whole)} runs:\n")
    correlations(whole)


if __name__ == "__main__":
    main()
