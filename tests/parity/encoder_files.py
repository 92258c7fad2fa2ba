"""Files with encoders, written by torch, torchvision, timm, transformers and Lightning, each with its network.

A network is what the package itself makes of images: it maps pixels (N x 3 x 32 x 32) to features.
"""

import argparse
import collections
import copy
import dataclasses
import pathlib
from typing import Callable

import pytorch_lightning
import timm
import torch
import torch.distributed as dist
import torchvision
import transformers
from torch import nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import fully_shard
from torch.distributed.device_mesh import init_device_mesh
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import bridge


@dataclasses.dataclass
class File:
    package: str
    written_by: str
    path: pathlib.Path
    network: Callable = None  # None: the file is refused
    flags: tuple = ()
    said: tuple = ()  # texts in the program's output
    by_hand: bool = False


def batch():
    return torch.randn(8, 3, 32, 32)


def trained(network, outputs=lambda output: output, ema=None):
    """A few steps, so that no weight and no statistic has its initial value."""
    network.train()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        outputs(network(batch())).square().mean().backward()
        optimizer.step()
        if ema is not None:
            ema(network)
    return network.eval()


def headless(network):
    """torchvision's network without its last layer."""
    network = copy.deepcopy(network).eval()
    network.fc = nn.Identity()
    return network


def saved(contents, path, **options):
    torch.save(contents, path, **options)
    return path


class OfPython2(collections.OrderedDict):
    """Is pickled as Python 2 pickled an OrderedDict: with all items as the constructor's argument."""

    def __reduce__(self):
        return collections.OrderedDict, ([[name, value] for name, value in self.items()],)


class OfTorch03:
    """Is pickled as torch 0.3 pickled a tensor."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce_ex__(self, protocol):
        _, (storage, offset, size, stride, *_) = self.tensor.__reduce_ex__(protocol)
        return torch._utils._rebuild_tensor, (storage, offset, size, stride)


def of_torchvision(work):
    network = trained(torchvision.models.resnet18(num_classes=10))
    state, features = network.state_dict(), headless(network)
    yield File("torchvision", "`torch.save(model.state_dict())`", saved(state, work / "resnet18.pth"), features)
    yield File("torchvision", "the same, `_use_new_zipfile_serialization=False`",
               saved(state, work / "legacy.pth", _use_new_zipfile_serialization=False), features)
    yield File("torchvision", "the same, `pickle_protocol=5`", saved(state, work / "5.pth", pickle_protocol=5), features)
    old = OfPython2((name, OfTorch03(tensor)) for name, tensor in state.items() if "num_batches" not in name)
    old = saved(old, work / "old.pth", _use_new_zipfile_serialization=False)
    torch.load(old, weights_only=False)
    yield File("torchvision", "the same of torch 0.3 and Python 2", old, features, by_hand=True)
    for name in ("resnext50_32x4d", "resnet101"):
        network = trained(getattr(torchvision.models, name)())
        yield File("torchvision", f"`state_dict()` of `{name}`", saved(network.state_dict(), work / "other.pth"),
                   headless(network))
    network = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None)
    yield File("torchvision", "`state_dict()` of `segmentation.fcn_resnet50`", saved(network.state_dict(), work / "fcn.pth"),
               said=("segmentation network",))
    for dtype in (torch.float16, torch.bfloat16):
        network = torchvision.models.resnet18(num_classes=10)
        rounded = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in state.items()}
        network.load_state_dict(rounded)
        yield File("torchvision", f"`state_dict()` of {str(dtype).removeprefix('torch.')}",
                   saved(rounded, work / "rounded.pth"), headless(network))


def of_torch(work):
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    network = torchvision.models.resnet18(num_classes=10)
    parallel = trained(nn.parallel.DistributedDataParallel(network))
    features = headless(network)
    contents = {"epoch": 1, "arch": "resnet18", "state_dict": parallel.state_dict(), "best_acc1": torch.tensor(10.0),
                "optimizer": torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9).state_dict()}
    yield File("torch", "`DistributedDataParallel`, as in the ImageNet example", saved(contents, work / "ddp.pth.tar"),
               features)
    state = nn.DataParallel(network).state_dict()
    yield File("torch", "`DataParallel`", saved({"net": state, "acc": 10.0, "epoch": 1}, work / "dp.pth"), features)
    compiled = torch.compile(network)
    yield File("torch", "`torch.compile`", saved({"model": compiled.state_dict()}, work / "compiled.pt"), features)
    state = nn.parallel.DistributedDataParallel(compiled).state_dict()
    yield File("torch", "`DistributedDataParallel(torch.compile)`", saved(state, work / "both.pt"), features)
    state = torch.compile(parallel).state_dict()
    yield File("torch", "`torch.compile(DistributedDataParallel)`", saved({"model_state_dict": state}, work / "both.pt"),
               features)

    network = torchvision.models.resnet18(num_classes=10)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
    trained(network, ema=averaged.update_parameters)
    file = saved({"model": network.state_dict(), "ema_model": averaged.state_dict()}, work / "averaged.pt")
    yield File("torch", "`swa_utils.AveragedModel`", file, headless(averaged.module))
    yield File("torch", "`swa_utils.AveragedModel`", file, headless(network), flags=("--weights=raw",))

    network = trained(torchvision.models.resnet18(num_classes=10))
    features = headless(network)
    fully_shard(network, mesh=init_device_mesh("cpu", (1,)))
    yield File("torch", "`fully_shard`, a rank's own `state_dict()`", saved(network.state_dict(), work / "rank0.pt"),
               said=("DTensor", "get_model_state_dict"))
    state = get_model_state_dict(network, options=StateDictOptions(full_state_dict=True))
    yield File("torch", "`fully_shard`, `get_model_state_dict(full_state_dict=True)`", saved(state, work / "full.pt"),
               features)
    dist.destroy_process_group()


def of_timm(work):
    def checkpoint(name, **options):
        model = timm.create_model(name, **options)
        ema = timm.utils.ModelEmaV3(model, decay=0.5)
        trained(model, ema=ema.update)
        folder = work / name
        folder.mkdir()
        saver = timm.utils.CheckpointSaver(
            model, torch.optim.SGD(model.parameters(), lr=0.1), args=argparse.Namespace(model=name, epochs=2),
            model_ema=ema, checkpoint_dir=str(folder), recovery_dir=str(folder))
        saver.save_checkpoint(0, metric=1.0)
        return model, ema.module, folder / "model_best.pth.tar"

    def features(model):
        return lambda pixels: model.eval().forward_head(model.forward_features(pixels), pre_logits=True)

    model, averaged, file = checkpoint("resnet18", num_classes=10)
    yield File("timm", "`CheckpointSaver` with `ModelEmaV3`", file, features(averaged))
    yield File("timm", "`CheckpointSaver` with `ModelEmaV3`", file, features(model), flags=("--weights=raw",))
    timm.models.save_for_hf(model, work / "hub", safe_serialization="both")
    for name in ("model.safetensors", "pytorch_model.bin"):
        yield File("timm", "`save_for_hf` (`push_to_hf_hub`)", work / "hub" / name, features(model))
    model = trained(timm.create_model("resnet50", num_classes=0, in_chans=3))
    yield File("timm", "`state_dict()` of `resnet50`", saved(model.state_dict(), work / "resnet50.pth"), features(model))
    for name in ("resnetaa50", "resnetblur50"):
        yield File("timm", f"`CheckpointSaver` of `{name}`", checkpoint(name, num_classes=2)[2], said=(f"'{name}'",))
    for name, options in (("resnetaa50", {}), ("resnet50", {"output_stride": 16})):
        folder, words = work / "hub" / name, "".join(f" with `{k}={v}`" for k, v in options.items())
        timm.models.save_for_hf(timm.create_model(name, **options), folder, model_args=options, safe_serialization=True)
        yield File("timm", f"`save_for_hf` of `{name}`{words}", folder / "model.safetensors",
                   said=(f"'{name}{words.replace('`', '')}'",))


def of_transformers(work):
    config = transformers.ResNetConfig(embedding_size=64, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2],
                                       layer_type="basic")
    for name, model, base in (("ResNetModel", transformers.ResNetModel(config), lambda m: m),
                              ("ResNetForImageClassification",
                               transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=10)),
                               lambda m: m.resnet)):
        trained(model, outputs=lambda output: output.logits if "logits" in output else output.pooler_output)
        features = lambda pixels: base(model)(pixels).pooler_output.flatten(1)
        model.save_pretrained(work / name)
        yield File("transformers", f"`{name}.save_pretrained`", work / name / "model.safetensors", features)
        yield File("transformers", f"`state_dict()` of `{name}` (`pytorch_model.bin`)",
                   saved(model.state_dict(), work / "pytorch_model.bin"), features)


class Method(pytorch_lightning.LightningModule):
    """What self-supervised methods in Lightning have in common; further parts are given by name."""

    def __init__(self, backbone, width, **parts):
        super().__init__()
        self.save_hyperparameters({"backbone": "resnet18", "lr": 0.1, "views": [32, 32]})
        self.backbone = backbone
        for name, part in parts.items():
            setattr(self, name, part)
        self.projection_head = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 8))

    def training_step(self, batch, _):
        return self.projection_head(self.backbone(batch[0]).flatten(1)).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(method, folder, callbacks=()):
    """Two steps on the CPU, and what the Trainer saves after them."""
    keep = pytorch_lightning.callbacks.ModelCheckpoint(dirpath=folder, filename="step", every_n_train_steps=2)
    trainer = pytorch_lightning.Trainer(max_steps=2, accelerator="cpu", devices=1, logger=False, enable_progress_bar=False,
                                        enable_model_summary=False, default_root_dir=folder, callbacks=[*callbacks, keep])
    data = torch.utils.data.TensorDataset(torch.randn(16, 3, 32, 32))
    trainer.fit(method, torch.utils.data.DataLoader(data, batch_size=8))
    method.eval()
    return folder / "step.ckpt"


def of_lightning(work):
    def backbone():
        network = torchvision.models.resnet18()
        network.fc = nn.Identity()
        return network

    method = Method(backbone(), 512)
    yield File("pytorch_lightning", "`ModelCheckpoint`", fit(method, work / "plain"), method.backbone)
    method = Method(torch.compile(backbone(), backend="eager"), 512)
    yield File("pytorch_lightning", "`ModelCheckpoint` of a module of `torch.compile`", fit(method, work / "compiled"),
               method.backbone)
    method = Method(backbone(), 512)
    averaging = pytorch_lightning.callbacks.WeightAveraging(multi_avg_fn=get_ema_multi_avg_fn(0.5))
    file = fit(method, work / "averaged", [averaging])
    yield File("pytorch_lightning", "`ModelCheckpoint` with `WeightAveraging`", file, method.backbone)
    raw = backbone().eval()
    raw.load_state_dict(bridge.below("backbone.", torch.load(file, weights_only=False)["current_model_state"]))
    yield File("pytorch_lightning", "`ModelCheckpoint` with `WeightAveraging`", file, raw, flags=("--weights=raw",))
