"""Files with encoders by lightly, lightly-train and MMEngine, and in the layouts of solo-learn and MoCo (encoder_files.py)."""

import copy

import lightly.models
import lightly_train
import lightly_train._checkpoint
import mmengine.hooks
import mmengine.model
import mmengine.runner
import torch
import torchvision
from torch import nn

import bridge
from encoder_files import File, Method, fit, headless, saved, trained


def of_lightly(work, images):
    """The networks of its tutorials, in Lightning's files and as state dicts."""
    resnet = torchvision.models.resnet18()
    method = Method(nn.Sequential(*list(resnet.children())[:-1]), 512)
    file = fit(method, work / "torchvision")
    network = lambda pixels: method.backbone(pixels).flatten(1)
    yield File("lightly", "`nn.Sequential` of torchvision's children, Lightning", file, network)
    state = {"resnet18_parameters": method.backbone.state_dict()}
    yield File("lightly", "the same under `resnet18_parameters`", saved(state, work / "parameters.pth"), network)

    for name, options in (("resnet-18", {}), ("resnet-18", {"num_splits": 2}), ("resnet-50", {}), ("resnet-9", {})):
        resnet = lightly.models.ResNetGenerator(name, **options)
        width = resnet.linear.in_features
        words = "".join(f", {key}={value}" for key, value in options.items())
        backbone = nn.Sequential(*list(resnet.children())[:-1], nn.AdaptiveAvgPool2d(1))
        momentum = copy.deepcopy(backbone)
        trained(momentum)
        for parameter in momentum.parameters():
            parameter.requires_grad = False
        tutorial = Method(backbone, width, backbone_momentum=momentum)
        file = fit(tutorial, work / f"{name}{len(words)}")
        features = lambda pixels: tutorial.backbone(pixels).flatten(1)
        # The network has no ReLU behind its first normalisation: with one, the features are others.
        pixels = torch.randn(2, 3, 32, 32)
        with torch.no_grad():
            other = nn.Sequential(*backbone[:2], nn.ReLU(), *backbone[2:]).eval()(pixels).flatten(1)
            assert (other - features(pixels)).norm() > 0.01 * other.norm()
        yield File("lightly", f"`nn.Sequential` of the children of `ResNetGenerator(\"{name}\"{words})`, Lightning", file,
                   features)
    for name in ("resnet-18", "resnet-34"):
        resnet = trained(lightly.models.ResNetGenerator(name))
        whole = copy.deepcopy(resnet)
        whole.linear = nn.Identity()
        yield File("lightly", f"`state_dict()` of `ResNetGenerator(\"{name}\")`", saved(resnet.state_dict(), work / "own.pth"),
                   whole)


def of_lightly_train(work, images):
    for model, method, options in (("torchvision/resnet18", "simclr", {}),
                                   ("torchvision/resnet50", "dino", {"local_view": None}),
                                   ("timm/resnet18", "simclr", {})):
        out = work / f"{model.replace('/', '_')}_{method}"
        lightly_train.pretrain(out=out, data=images, model=model, method=method, epochs=1, batch_size=8, num_workers=0,
                               accelerator="cpu", devices=1, precision="32-true", model_args={"weights": None}
                               if model.startswith("torchvision") else {"pretrained": False},
                               transform_args={"image_size": (32, 32), **options})
        checkpoint = lightly_train._checkpoint.Checkpoint.from_path(out / "checkpoints/last.ckpt")
        embedding = checkpoint.lightly_train.models.embedding_model.eval()
        network = lambda pixels: embedding(pixels).flatten(1)
        what = f"`{model}` by `{method}`"
        yield File("lightly-train", f"`exported_last.pt`, {what}", out / "exported_models/exported_last.pt", network)
        yield File("lightly-train", f"`last.ckpt`, {what}", out / "checkpoints/last.ckpt", network)
        if method == "dino":
            student = copy.deepcopy(embedding)
            student.load_state_dict(bridge.below("student_embedding_model.", checkpoint.state_dict))
            yield File("lightly-train", f"`last.ckpt`, {what}", out / "checkpoints/last.ckpt",
                       lambda pixels: student(pixels).flatten(1), flags=("--weights=raw",))


class Model(mmengine.model.BaseModel):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet18()
        self.backbone.fc = nn.Identity()
        self.head = nn.Linear(512, 4)

    def forward(self, inputs, mode="tensor"):
        output = self.head(self.backbone(inputs))
        return {"loss": output.square().mean()} if mode == "loss" else output


def of_mmengine(work, images):
    for hooks in ([], [mmengine.hooks.EMAHook(momentum=0.5)]):
        what = f"`Runner`{' with `EMAHook`' if hooks else ''}"
        folder = work / str(len(hooks))
        data = torch.utils.data.DataLoader([torch.randn(3, 32, 32) for _ in range(16)], batch_size=8,
                                           collate_fn=lambda items: {"inputs": torch.stack(items)})
        runner = mmengine.runner.Runner(
            Model(), work_dir=str(folder), train_dataloader=data, train_cfg={"by_epoch": True, "max_epochs": 1},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}}, custom_hooks=hooks,
            experiment_name=f"encoders{len(hooks)}",
            env_cfg={"mp_cfg": {"mp_start_method": "fork"}, "dist_cfg": {"backend": "gloo"}}, log_level="ERROR")
        runner.train()
        raw = runner.model.backbone.eval()
        file = folder / "epoch_1.pth"
        if hooks:
            yield File("mmengine", what, file, hooks[0].ema_model.module.backbone.eval())
        else:
            yield File("mmengine", what, file, raw)
        yield File("mmengine", what, file, raw, flags=("--weights=raw",))


def of_solo_learn(work, images):
    """The CIFAR network as solo/methods/base.py makes it, with the parts of SimCLR: the package itself (1.0.2) requires
    torch 1.9.1, which is not there for this Python."""
    resnet = torchvision.models.resnet18()
    resnet.fc = nn.Identity()
    resnet.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=2, bias=False)
    resnet.maxpool = nn.Identity()
    parts = {"classifier": nn.Linear(512, 10), "projector": nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 8))}
    method = Method(resnet, 512, **parts)
    yield File("solo-learn", "`BaseMethod` for CIFAR, Lightning", fit(method, work / "simclr"), headless(method.backbone),
               said=("padding",), by_hand=True)


def of_moco(work, images):
    """The network of the CIFAR demo of MoCo: a Sequential of the children without the pooling, so that the stages begin one
    child earlier. thop, with which others count its operations, leaves two tensors in each layer."""
    resnet = torchvision.models.resnet18()
    resnet.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
    children = [child for name, child in resnet.named_children() if name not in ("maxpool", "fc")]
    network = trained(nn.Sequential(*children, nn.Flatten(1)))
    state = {f"encoder_{which}.net.{name}": tensor for which in "qk" for name, tensor in network.state_dict().items()}
    counts = {f"encoder_q.net.{part}total_ops": torch.zeros(1) for part in ("", "3.", "3.0.", "3.0.conv1.")}
    yield File("MoCo", "the CIFAR demo's network, with the counts of thop",
               saved({"epoch": 1, "state_dict": {**state, **counts}}, work / "demo.pth"), network, by_hand=True)
