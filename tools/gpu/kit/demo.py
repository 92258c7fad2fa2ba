"""run.sh demo: the official CIFAR-10 demo, 200 epochs, with its kNN after every epoch beside its published log."""

import json
import signal
import subprocess
import time

from place import FOLDER, Failure, last_lines

RUN = "demo"


def published():
    """The accuracies of the published log, in %, by epoch from 1; empty if the kit has no log."""
    path = FOLDER / "official" / "published.json"
    return json.loads(path.read_text()) if path.exists() else []


def arguments(place):
    if not place.rehearsal:
        return ["--preset=cifar10", "--epochs=200", "--precision=bf16", "--print-freq=97"]
    return ["--preset=cifar10", "--epochs=3", "--arch=resnet_small:width=8,blocks=1,stages=2", "--batch-size=40",
            "--bn-splits=4", "--moco-k=480", "--knn-k=20"]


def run(place, part, save):
    """Fills `part`; returns whether the run is over."""
    folder = place.runs / RUN
    began = time.monotonic()
    resumes = any((folder / "checkpoints").glob("*.pth.tar"))
    words = [f"--resume={RUN}"] if resumes else [
        str(place.images), *arguments(place), "--knn-every=1", "--checkpoint-every=50", "--keep=2",
        f"--workers={place.threads}", f"--device={place.device}", f"--run-dir={RUN}"]
    over = part.get("over", False)
    if not over:
        print(f"demo     {'continues' if resumes else 'starts'}; at most {place.left():.0f} s", flush=True)
        with open(place.runs / "demo.txt", "a+") as said:
            process = subprocess.Popen(place.command("moco/pretrain", *words), cwd=place.runs, env=place.environment,
                                       stdout=said, stderr=subprocess.STDOUT)
            try:
                process.wait(timeout=max(1, place.left() - 20))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)  # it writes a checkpoint
                process.wait(timeout=60)
            said.seek(0)
            if process.returncode not in (0, 143):
                raise Failure(f"pretrain ended with {process.returncode}: {last_lines(said.read())}")
            over = process.returncode == 0
        part["seconds"] = part.get("seconds", 0) + round(time.monotonic() - began, 1)
    part["over"] = over
    fill(place, part)
    save()
    return over


def fill(place, part):
    """The epochs: loss and kNN, and what was published."""
    log, rows = published(), {}
    steps = None
    for line in place.metrics(RUN):
        if "epoch_loss" in line:
            steps = line["step"] // (line["epoch"] + 1)
            rows.setdefault(line["epoch"] + 1, {})["loss"] = line["epoch_loss"]
        if "knn" in line and steps:
            rows.setdefault(line["step"] // steps, {})["knn"] = 100 * line["knn"]
        if "pairs_per_second" in line:
            part["pairs_per_second"], part["waiting"] = line["pairs_per_second"], line["waiting"]
    for epoch, row in rows.items():
        if epoch <= len(log):
            row["published"] = log[epoch - 1]
    part["epochs"] = [{"epoch": epoch, **row} for epoch, row in sorted(rows.items())]
    part["settings"] = " ".join(arguments(place))
