"""A run that changes sides at half time: //moco:pretrain goes on with PyTorch's checkpoint, PyTorch with its.

    bridge.py PRETRAIN DEMO     the program, and the folder of data/demo

Both read the same image files, in the same order, flip and grey the same views and shuffle alike. One side trains to
the end and leaves a checkpoint of half time; the other goes on from that file, and must find the losses that the
first one found: queue, key encoder, momentum buffers and rates have all come across.
"""

import functools
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.functional import center_crop, normalize

import reference

SEED, BATCH, STEPS = 3, 16, 5  # STEPS in an epoch
BOUNDS = {"fp64": 1e-9, "fp32": 1e-5}  # of all losses after half time, and in float32 of the first: fidelity.md


def half_time(run):
    return f"checkpoint_{run['epochs'] // 2 - 1:04}.pth.tar"


def unpack(demo, folder, count):
    """The first images of the demo's training set, count of each class, as folder/CLASS/NUMBER.jpg."""
    with tarfile.open(demo / "train" / "train-0.tar") as archive:
        kept = {}
        for member in archive:
            numbers = kept.setdefault(member.name.split("/")[0], [])
            if member.isfile() and len(numbers) < count:
                numbers.append(member.name)
                archive.extract(member, folder)


class Images:
    """The batches of a run, as data/loader.h makes them."""

    def __init__(self, folder, size):
        self.images = [center_crop(Image.open(file).convert("RGB"), size) for file in sorted(folder.glob("*/*.jpg"))]
        assert len(self.images) == BATCH * STEPS

    def view(self, epoch, sample, number):
        stream = reference.words(SEED, 2, epoch, sample, number)
        flip, grey = ((next(stream) >> 5 << 26 | next(stream) >> 6) * 2.0**-53 for _ in range(2))
        image = self.images[sample]
        if flip < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if grey < 0.2:
            image = image.convert("L").convert("RGB")
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return normalize(pixels, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)).to(torch.get_default_dtype())

    def order(self, epoch):
        return reference.permutation(SEED, epoch, len(self.images), purpose=1).tolist()

    def batches(self, epoch):
        order = self.order(epoch)
        for first in range(0, len(order), BATCH):
            yield [torch.stack([self.view(epoch, sample, v) for sample in order[first:first + BATCH]]) for v in (0, 1)]


def pretrain(program, run, data, folder, resume):
    """Ours: the words that start it, before those of the run. Returns the loss of each step."""
    folder.mkdir()
    views = f"center_crop:size={run['size']}|flip|grayscale|to_tensor|normalize"
    command = [*program, data, f"--arch={run['arch']}", f"--epochs={run['epochs']}",
               f"--batch-size={BATCH}", f"--seed={SEED}", f"--lr={run['lr']}",
               f"--moco-k={run['queue']}", f"--moco-t={run['temperature']}", f"--moco-dim={run['dim']}",
               f"--moco-m={run['momentum']}", f"--mlp={run['mlp']}", f"--cos={run['cos']}",
               f"--schedule={' '.join(map(str, run['schedule']))}", f"--bn-splits={run['splits']}",
               f"--precision={run['precision']}", f"--views={views}", f"--image-size={run['size']}", "--print-freq=1",
               f"--optimizer={run['optimizer']}", f"--run-dir={folder}", f"--resume={resume}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"pretrain ended with {done.returncode}: {done.stderr}")
    (folder / half_time(run)).symlink_to(f"checkpoints/{half_time(run)}")
    metrics = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in metrics if "loss" in line]


def below(prefix, state):
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def rate(run, epoch):
    if run["cos"]:
        return reference.cosine_rate(run["lr"], epoch, run["epochs"])
    return reference.step_rate(run["lr"], epoch, run["schedule"])


def reference_run(run, data, folder, resume):
    """reference.py as main_moco.py would run it. Returns the loss of each step."""
    folder.mkdir()
    moco = reference.MoCo(run["arch"], "mlp" if run["mlp"] else "linear", run["splits"], run["dim"], run["queue"],
                          run["momentum"], run["temperature"])
    encoders = {"module.encoder_q.": moco.f_q, "module.encoder_k.": moco.f_k}
    parameters = [*moco.f_q.parameters(), *moco.f_k.parameters()]
    optimizer = (torch.optim.AdamW(parameters, run["lr"]) if run["optimizer"] == "adamw" else
                 torch.optim.SGD(parameters, run["lr"], momentum=0.9, weight_decay=1e-4))
    first = 0
    if resume:
        checkpoint = torch.load(resume, weights_only=True)
        state, first = checkpoint["state_dict"], checkpoint["epoch"]
        for prefix, encoder in encoders.items():
            encoder.load_state_dict(below(prefix, state))
        moco.queue, moco.position = state["module.queue"], int(state["module.queue_ptr"])
        optimizer.load_state_dict(checkpoint["optimizer"])
    losses = []
    images = Images(data, run["size"])
    for epoch in range(first, run["epochs"]):
        optimizer.param_groups[0]["lr"] = rate(run, epoch)
        for i, (x_q, x_k) in enumerate(images.batches(epoch)):
            shuffles = [reference.permutation(SEED, epoch * STEPS + i, BATCH)]
            losses.append(reference.step(moco, optimizer, x_q, x_k, shuffles)[0])
        state = {prefix + name: t for prefix, encoder in encoders.items() for name, t in encoder.state_dict().items()}
        state |= {"module.queue": moco.queue, "module.queue_ptr": torch.tensor([moco.position])}
        torch.save({"epoch": epoch + 1, "arch": run["arch"], "state_dict": state, "optimizer": optimizer.state_dict()},
                   folder / f"checkpoint_{epoch:04}.pth.tar")
    return losses


def cross(program, demo, theirs, run):
    """Both ways; theirs(run, data, folder, resume) trains and returns the loss of each step. Returns the losses of our
    whole run and of theirs."""
    torch.set_default_dtype(torch.float64 if run["precision"] == "fp64" else torch.float32)
    ours, wholes = functools.partial(pretrain, program), []
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        data = work / "data"
        unpack(demo, data, BATCH * STEPS // 10)
        for what, first, second in (("theirs goes on with ours", ours, theirs),
                                    ("ours goes on with theirs", theirs, ours)):
            torch.manual_seed(1)
            whole = first(run, data, work / f"{what}, first", "")
            resumed = second(run, data, work / f"{what}, second", work / f"{what}, first" / half_time(run))
            wholes.append(whole)
            assert [len(whole), len(resumed)] == [run["epochs"] * STEPS, run["epochs"] // 2 * STEPS]
            differences = [abs(a - b) / abs(a) for a, b in zip(whole[len(resumed):], resumed)]
            print(f"{run['name']}, {run['precision']}, {what}: first loss {resumed[0]:.6f}, difference "
                  f"{differences[0]:.1e}; largest of {len(resumed)} {max(differences):.1e}", flush=True)
            if not (differences[0] if run["precision"] == "fp32" else max(differences)) <= BOUNDS[run["precision"]]:
                sys.exit("they differ")
    return wholes


V1 = {"name": "v1", "epochs": 8, "splits": 1, "dim": 128, "queue": 336, "momentum": 0.999, "temperature": 0.07,
      "lr": 0.03, "mlp": False, "cos": False, "schedule": [2, 6], "optimizer": "sgd"}
V2 = V1 | {"name": "v2", "temperature": 0.2, "mlp": True, "cos": True}


def main():
    program, demo = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(1)
    adamw = V2 | {"name": "v2 by AdamW", "optimizer": "adamw", "lr": 0.001}
    for run, precision in ((V1, "fp64"), (V2 | {"splits": 4}, "fp64"), (V2 | {"splits": 4}, "fp32"),
                           (adamw, "fp64"), (adamw, "fp32")):
        cross([program], demo, reference_run, run | {"arch": "resnet_small", "size": 16, "precision": precision})


if __name__ == "__main__":
    main()
