"""What official_bridge.sh runs: bridge.py with main_moco.py itself, and main_lincls.py on our checkpoints."""

import contextlib
import functools
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from unittest import mock

import torch
import torchvision

import bridge
import ddp_bridge
import reference


@contextlib.contextmanager
def on_a_cpu(log):
    """The official programs as they are, in a machine whose `cuda()` does nothing."""
    stay = lambda self, *arguments, **settings: self
    with (mock.patch.object(torch.Tensor, "cuda", stay), mock.patch.object(torch.nn.Module, "cuda", stay),
          open(log, "w") as said, contextlib.redirect_stdout(said)):
        yield


class GivenImages(torch.utils.data.Dataset):
    """In place of ImageFolder with TwoCropsTransform."""

    def __init__(self, images):
        self.images, self.epoch = images, 0

    def __len__(self):
        return len(self.images.images)

    def __getitem__(self, sample):
        return [self.images.view(self.epoch, sample, v) for v in (0, 1)], 0


class GivenOrder(torch.utils.data.Sampler):
    """In place of DistributedSampler: the images dealt to the ranks."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.rank, self.ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()

    def set_epoch(self, epoch):
        self.dataset.epoch = epoch

    def __iter__(self):
        return iter(self.dataset.images.order(self.dataset.epoch)[self.rank::self.ranks])

    def __len__(self):
        return len(self.dataset) // self.ranks


def main_moco_rank(rank, ranks, store, run, data, folder, resume):
    """main_moco.main_worker, one of its processes, gloo. Returns the loss of each step."""
    import main_moco

    torch.set_default_dtype(torch.float64 if run["precision"] == "fp64" else torch.float32)
    words = [str(data), f"--epochs={run['epochs']}", f"--batch-size={bridge.BATCH // ranks}", f"--lr={run['lr']}",
             f"--moco-k={run['queue']}", f"--moco-t={run['temperature']}", f"--moco-dim={run['dim']}",
             f"--moco-m={run['momentum']}", f"--resume={resume}", "--workers=0", f"--world-size={ranks}",
             f"--rank={rank}", "--dist-backend=gloo", f"--dist-url=file://{store}",
             "--schedule", *map(str, run["schedule"])]
    args = main_moco.parser.parse_args(words + [f"--{flag}" for flag in ("mlp", "cos") if run[flag]])
    args.arch = run["arch"]
    args.distributed = True  # what main() finds when there is more than one process
    backbones = {args.arch: functools.partial(reference.backbone(args.arch), norm_layer=torch.nn.BatchNorm2d)}
    losses, shuffles = [], []

    def randperm(n):
        step = len(losses) + (run["epochs"] // 2 * bridge.STEPS if resume else 0)
        shuffles.append(step)
        return ddp_bridge.gathered(reference.permutation(bridge.SEED, step, n), ranks)

    class Meter(main_moco.AverageMeter):
        def update(self, value, n=1):
            super().update(value, n)
            if self.name == "Loss":
                losses.append(value)

    draw = main_moco.moco.builder.MoCo.__init__

    def draw_as_pretrain(model, *arguments):
        """The weights of the seed in float32, whatever follows."""
        dtype = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        torch.manual_seed(bridge.SEED)
        draw(model, *arguments)
        model.to(dtype)
        torch.set_default_dtype(dtype)

    given = GivenImages(bridge.Images(data, run["size"]))
    with (on_a_cpu(folder / "log"), mock.patch.object(main_moco, "AverageMeter", Meter),
          mock.patch.dict(main_moco.models.__dict__, backbones),
          mock.patch.object(main_moco.moco.builder.MoCo, "__init__", draw_as_pretrain),
          mock.patch.object(main_moco.datasets, "ImageFolder", lambda *arguments: given),
          mock.patch.object(torch.utils.data.distributed, "DistributedSampler", GivenOrder),
          mock.patch.object(torch, "randperm", randperm), contextlib.chdir(folder)):
        main_moco.main_worker(None, 1, args)
        torch.distributed.destroy_process_group()
    assert len(shuffles) == len(losses)
    if resume:
        assert f"=> loaded checkpoint '{resume}' (epoch {run['epochs'] // 2})" in (folder / "log").read_text()
    return losses


def main_moco_run(run, data, folder, resume):
    """In one process."""
    folder.mkdir()
    return main_moco_rank(0, 1, folder / "store", run, data, folder, resume)


def main_moco_rank_of_run(rank, run, data, folder, resume):
    """One of ddp_bridge.RANKS processes, each in a folder of its own."""
    torch.set_num_threads(1)
    own = folder / f"rank{rank}" if rank > 0 else folder
    own.mkdir(exist_ok=True)
    losses = main_moco_rank(rank, ddp_bridge.RANKS, folder / "store", run, data, own, resume)
    (own / "own_losses.json").write_text(json.dumps(losses))


def main_moco_ranks(run, data, folder, resume):
    folder.mkdir()
    torch.multiprocessing.spawn(main_moco_rank_of_run, (run, data, folder, resume), nprocs=ddp_bridge.RANKS)
    by_rank = [json.loads(file.read_text()) for file in sorted(folder.rglob("own_losses.json"))]
    assert len(by_rank) == ddp_bridge.RANKS
    return [statistics.mean(losses) for losses in zip(*by_rank, strict=True)]


def main_lincls_run(folder, data, *words, before_validation=None):
    """main_lincls.main_worker for ten classes. Returns what it printed."""
    import main_lincls

    folder.mkdir()
    args = main_lincls.parser.parse_args([str(data), "--arch=resnet18", "--workers=0", "--batch-size=50", *words])
    args.distributed = False
    validate = main_lincls.validate

    def given_weights(loader, model, criterion, args):
        if before_validation:
            before_validation(model)
        return validate(loader, model, criterion, args)

    ten = {"resnet18": functools.partial(torchvision.models.resnet18, num_classes=10)}
    with (on_a_cpu(folder / "log"), mock.patch.dict(main_lincls.models.__dict__, ten),
          mock.patch.object(main_lincls, "validate", given_weights), contextlib.chdir(folder)):
        main_lincls.main_worker(None, 1, args)
    return (folder / "log").read_text()


def ours(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def accuracies(text):
    """The last Acc@1 and Acc@5, as main_lincls.py and lincls print them, in tenths of a percent."""
    return [round(float(re.findall(f"Acc@{k} +([0-9.]+)", text)[-1]), 1) for k in (1, 5)]


def linear(pretrain, lincls, demo):
    """Our checkpoints in main_lincls.py, its in ours: the same accuracies."""
    torch.set_default_dtype(torch.float32)
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        bridge.unpack(demo, work / "train", 20)
        (work / "val").symlink_to("train")
        ours(pretrain, work / "train", "--arch=resnet18", "--epochs=6", "--batch-size=20", "--moco-k=100",
             "--image-size=32", f"--run-dir={work}/pretrained")
        pretrained = work / "pretrained/checkpoints/checkpoint_0005.pth.tar"
        views = "resize:size=256|center_crop:size=224|to_tensor|normalize"
        ours(lincls, work, f"--pretrained={pretrained}", "--epochs=1", "--lr=0.001", "--batch-size=50",
             f"--eval-views={views}", f"--run-dir={work}/linear")
        checkpoint = work / "linear/checkpoints/checkpoint.pth.tar"
        found = {"lincls": accuracies(ours(lincls, work, "--evaluate", f"--resume={checkpoint}"))}

        def our_fc(model):
            state = torch.load(checkpoint, weights_only=True)["state_dict"]
            model.module.fc.load_state_dict({name: state[f"module.fc.{name}"] for name in ("weight", "bias")})

        found["main_lincls --pretrained"] = accuracies(main_lincls_run(
            work / "a", work, f"--pretrained={pretrained}", "--evaluate", before_validation=our_fc))
        found["main_lincls --resume"] = accuracies(main_lincls_run(
            work / "b", work, f"--resume={checkpoint}", "--evaluate"))
        said = main_lincls_run(work / "c", work, f"--pretrained={pretrained}", "--epochs=1", "--lr=0.001")
        assert "=> sanity check passed." in said
        theirs = {"its own checkpoint in main_lincls": accuracies(said),
                  "in lincls": accuracies(ours(lincls, work, "--evaluate", f"--eval-views={views}",
                                               f"--resume={work}/c/checkpoint.pth.tar"))}
    for results in (found, theirs):
        print("Acc@1, Acc@5 of", "; ".join(f"{who} {numbers}" for who, numbers in results.items()))
        if len(set(map(tuple, results.values()))) != 1 or [10, 50] in results.values():  # chance, or one class for all
            sys.exit("they differ, or say nothing")


def main():
    clone, pretrain, pretrain_ddp, lincls, demo = sys.argv[1:]
    sys.path.append(clone)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    for run in (bridge.V1, bridge.V2):
        for precision in ("fp64", "fp32"):
            bridge.cross([pretrain], pathlib.Path(demo), main_moco_run,
                         run | {"arch": "resnet18", "size": 32, "precision": precision})
    for run, way in ((bridge.V1, "exchange"), (bridge.V2, "deal")):
        ddp_bridge.cross(pretrain_ddp, pathlib.Path(demo), main_moco_ranks,
                         run | ddp_bridge.SMALL, way)
    linear(pretrain, lincls, pathlib.Path(demo))


if __name__ == "__main__":
    main()
