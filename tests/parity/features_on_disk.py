"""Features on the disk, opened by NumPy: they are what torchvision's network gives, and the columns what PyTorch gives.

    features_on_disk.py PRETRAIN FEATURES DEMO
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch.nn import functional as F

import bridge
import exports
import reference

ARCH, SIZE, TEMPERATURE = "resnet18", 32, 0.2
# Without chance, so that both sides see the same pixels.
VIEWS = f"resize:size={SIZE}|center_crop:size={SIZE}|to_tensor|normalize"
MATRICES = ("backbone", "head", "stage1", "stage2", "stage3", "stage4")


def run(program, *words):
    subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def encoder(state, prefix):
    [network] = reference.encoders(ARCH, "mlp", count=1)
    network.load_state_dict(bridge.below(prefix, state))
    return network.eval()


def outputs(network, x):
    found, hooks = {}, []
    for n in (1, 2, 3, 4):
        hooks.append(getattr(network, f"layer{n}").register_forward_hook(
            lambda _, __, y, name=f"stage{n}": found.update({name: y.mean((2, 3))})))
    hooks.append(network.fc.register_forward_pre_hook(lambda _, x: found.update(backbone=x[0])))
    found["head"] = network(x)
    for hook in hooks:
        hook.remove()
    return found


def load(folder, name):
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def main():
    pretrain, features, demo = sys.argv[1:]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        work = pathlib.Path(temporary)
        images = work / "images"
        bridge.unpack(pathlib.Path(demo), images, 2)
        run(pretrain, images, f"--arch={ARCH}", "--mlp", f"--moco-t={TEMPERATURE}", "--epochs=1", "--batch-size=5",
            "--moco-k=10", f"--image-size={SIZE}", f"--run-dir={work / 'run'}")
        checkpoint = work / "run/checkpoints/checkpoint_0000.pth.tar"
        columns = "--columns=moco_loss,disagreement"
        flags = [images, f"--views={VIEWS}", f"--eval-views={VIEWS}", "--features=all", "--threads=1"]
        run(features, *flags, columns, f"--pretrained={checkpoint}", f"--out={work / 'ours'}")

        state = torch.load(checkpoint, weights_only=True)["state_dict"]
        network, key_network = encoder(state, "module.encoder_q."), encoder(state, "module.encoder_k.")
        x = exports.photographs(images, SIZE)
        expected = outputs(network, x)
        for name in MATRICES:
            matrix = load(work / "ours", name)
            assert matrix.dtype == np.float32 and matrix.flags.c_contiguous and not matrix.flags.writeable, name
            exports.check(name, torch.from_numpy(matrix.copy()), expected[name])
        with open(work / "ours/images.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        files = sorted(path.relative_to(images) for path in images.glob("*/*.jpg"))
        classes = sorted({file.parent.name for file in files})
        assert [row["file"] for row in rows] == [str(file) for file in files]
        assert [int(row["label"]) for row in rows] == [classes.index(file.parent.name) for file in files]

        q, k = F.normalize(expected["head"]), F.normalize(key_network(x))
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ state["module.queue"]], 1) / TEMPERATURE
        loss = F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long), reduction="none")
        exports.check("moco_loss", torch.tensor([float(row["moco_loss"]) for row in rows]), loss)
        assert all(abs(float(row["disagreement"])) < 1e-6 for row in rows), "views that are all the same"

        # Half of the space: NumPy's own rounding.
        run(features, *flags, f"--pretrained={checkpoint}", "--dtype=float16", f"--out={work / 'half'}")
        for name in MATRICES:
            assert np.array_equal(load(work / "half", name), load(work / "ours", name).astype(np.float16)), name

        # A checkpoint of the reference, which knows neither the head's name nor the loss.
        theirs = work / "theirs.pth.tar"
        torch.save({"epoch": 1, "arch": ARCH, "state_dict": state, "optimizer": {}}, theirs)
        run(features, *flags, columns, f"--loss=info_nce:temperature={TEMPERATURE}", f"--pretrained={theirs}",
            f"--out={work / 'theirs'}")
        # lightly's layout.
        lightly = work / "lightly.ckpt"
        torch.save({"state_dict": {f"backbone.{name}": tensor for name, tensor in
                                   bridge.below("module.encoder_q.", state).items()}}, lightly)
        run(features, *flags, f"--arch={ARCH}", f"--pretrained={lightly}", f"--out={work / 'lightly'}")
        for name in MATRICES:
            assert np.array_equal(load(work / "theirs", name), load(work / "ours", name)), name
            if name != "head":
                assert np.array_equal(load(work / "lightly", name), load(work / "ours", name)), name
        assert (work / "theirs/images.csv").read_text() == (work / "ours/images.csv").read_text()


if __name__ == "__main__":
    main()
