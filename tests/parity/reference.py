"""MoCo in PyTorch and torchvision, as facebookresearch/moco and its CIFAR demo define it, in one small file.

What it takes from elsewhere is given to it: initial weights by LibTorch's seed, images by `noise`, shuffles by
`permutation`. So it and the C++ side can compute the same thing from a few numbers.
"""

import functools
import itertools
import math

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

# --- Inputs that both sides make alike ---


def noise(stream, *shape):
    """Values in [-1, 1), a function of the stream and the index in row-major order; exact in float32."""
    count = math.prod(shape)
    x = np.arange(count, dtype=np.uint32) + np.uint32(stream * 0x9E3779B9 % 2**32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(16)
    return torch.from_numpy((x >> np.uint32(9)) * 2.0**-22 - 1).view(shape)


def views(stream, *shape):
    """Two noisy views of the same images."""
    images = noise(3 * stream, *shape)
    return images + noise(3 * stream + 1, *shape), images + noise(3 * stream + 2, *shape)


def philox(x, key):
    x, key = list(x), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [p1 >> 32 ^ x[1] ^ key[0], p1 % 2**32, p0 >> 32 ^ x[3] ^ key[1], p0 % 2**32]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return x


def words(seed, purpose, a, b=0, c=0):
    """The 32-bit words of a stream of base/rng.h."""
    mixed = philox([seed % 2**32, seed >> 32, purpose, a], [0x4D6F436F, 0x2B2B])
    for block in itertools.count():
        yield from philox([block, b % 2**32, b >> 32 << 16 | c, mixed[2]], mixed[:2])


def permutation(seed, step, n, direction=0, purpose=4):
    """The shuffle of a step's direction; with purpose 1, the order of an epoch."""
    stream, order = words(seed, purpose, step, direction), list(range(n))
    for i in range(n - 1, 0, -1):
        while True:
            product = (next(stream) << 32 | next(stream)) * (i + 1)
            if product % 2**64 >= 2**64 % (i + 1):
                break
        j = product >> 64
        order[i], order[j] = order[j], order[i]
    return torch.tensor(order)


# --- Networks ---


class SplitBatchNorm(nn.BatchNorm2d):
    """Batch normalisation of each of `splits` parts of the batch by itself; sample i is in part i mod splits."""

    def __init__(self, splits, channels):
        super().__init__(channels)
        self.splits = splits

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        self.num_batches_tracked += 1
        out, means, variances = torch.empty_like(x), [], []
        for part in range(self.splits):
            means.append(self.running_mean.clone())
            variances.append(self.running_var.clone())
            out[part::self.splits] = F.batch_norm(x[part::self.splits], means[-1], variances[-1], self.weight,
                                                  self.bias, True, self.momentum, self.eps)
        self.running_mean.copy_(sum(means) / self.splits)
        self.running_var.copy_(sum(variances) / self.splits)
        return out


class ResNet(nn.Module):
    """torchvision's ResNet with the width and the stem free."""

    def __init__(self, num_classes, norm_layer, blocks, stem, block=BasicBlock, width=64, groups=1, width_per_group=64):
        super().__init__()
        kernel = {"imagenet": 7, "cifar": 3}[stem]
        self.conv1 = nn.Conv2d(3, width, kernel, stride=kernel // 3, padding=kernel // 2, bias=False)
        self.bn1 = norm_layer(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if stem == "imagenet" else nn.Identity()
        channels = width
        for stage, count in enumerate(blocks):
            layer = []
            for number in range(count):
                stride, downsample = 1 + (stage > 0 and number == 0), None
                planes = width << stage
                out = planes * block.expansion
                if stride != 1 or channels != out:
                    downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), norm_layer(out))
                layer.append(block(channels, planes, stride, downsample, groups, width_per_group,
                                   norm_layer=norm_layer))
                channels = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        for name, module in self.named_children():
            if name.startswith("layer"):
                x = module(x)
        return self.fc(x.mean((2, 3)))


# torchvision's: block, blocks, groups, width per group.
RESNETS = {
    "resnet18": (BasicBlock, (2, 2, 2, 2), 1, 64),
    "resnet34": (BasicBlock, (3, 4, 6, 3), 1, 64),
    "resnet50": (Bottleneck, (3, 4, 6, 3), 1, 64),
    "resnet101": (Bottleneck, (3, 4, 23, 3), 1, 64),
    "resnet152": (Bottleneck, (3, 8, 36, 3), 1, 64),
    "resnext50_32x4d": (Bottleneck, (3, 4, 6, 3), 32, 4),
    "resnext101_32x8d": (Bottleneck, (3, 4, 23, 3), 32, 8),
    "resnext101_64x4d": (Bottleneck, (3, 4, 23, 3), 64, 4),
    "wide_resnet50_2": (Bottleneck, (3, 4, 6, 3), 1, 128),
    "wide_resnet101_2": (Bottleneck, (3, 4, 23, 3), 1, 128),
}

# By their specs on the C++ side, each compared with golden files.
BACKBONES = {name: getattr(torchvision.models, name) for name in RESNETS}
BACKBONES |= {f"{name}:stem=cifar": functools.partial(ResNet, block=block, blocks=blocks, groups=groups,
                                                      width_per_group=width_per_group, stem="cifar")
              for name, (block, blocks, groups, width_per_group) in RESNETS.items()}
BACKBONES["resnet_small"] = functools.partial(ResNet, width=16, blocks=(2, 2, 2, 2), stem="cifar")


def backbone(spec):
    """The network of a spec: any of BACKBONES, or resnet_small with options."""
    name, _, options = spec.partition(":")
    if name != "resnet_small":
        return BACKBONES[spec]
    given = {"width": 16, "blocks": 2, "stages": 4, "stem": "cifar"}
    given |= {key: type(given[key])(value) for key, value in (option.split("=") for option in options.split(",") if option)}
    return functools.partial(ResNet, width=given["width"], blocks=(given["blocks"],) * given["stages"], stem=given["stem"])


def encoders(spec, head, splits=1, dim=128, count=2):
    """Encoders whose random numbers are drawn in the reference's order: hidden layers after all networks."""
    norm_layer = functools.partial(SplitBatchNorm, splits) if splits > 1 else nn.BatchNorm2d
    make = backbone(spec)
    made = [make(num_classes=dim, norm_layer=norm_layer) for _ in range(count)]
    if head == "mlp":
        for f in made:
            width = f.fc.in_features
            f.fc = nn.Sequential(nn.Linear(width, width), nn.ReLU(), f.fc)
    return made


# --- The method ---


class MoCo:

    def __init__(self, backbone, head, splits=1, dim=128, queue=65536, momentum=0.999, temperature=0.07):
        self.f_q, self.f_k = encoders(backbone, head, splits, dim)
        self.f_k.requires_grad_(False)
        for p_q, p_k in zip(self.f_q.parameters(), self.f_k.parameters()):
            p_k.copy_(p_q.detach())
        self.queue = F.normalize(torch.randn(dim, queue), dim=0)
        self.position, self.momentum, self.temperature = 0, momentum, temperature

    def double(self):
        self.f_q.double()
        self.f_k.double()
        self.queue = self.queue.double()
        return self

    def contrast(self, x_q, x_k, shuffle):
        """The logits of queries, N x (1 + K), their own keys first; and the keys."""
        q = F.normalize(self.f_q(x_q))
        with torch.no_grad():
            k = torch.empty_like(q)
            k[shuffle] = F.normalize(self.f_k(x_k[shuffle]))
        similarities = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.clone()], dim=1)
        return similarities / self.temperature, k

    def logits(self, x_q, x_k, shuffles):
        """Logits in a list: of one direction, or of both when there are two shuffles. The keys have entered the queue,
        the second direction's first."""
        with torch.no_grad():
            for p_q, p_k in zip(self.f_q.parameters(), self.f_k.parameters()):
                p_k.copy_(self.momentum * p_k + (1 - self.momentum) * p_q)
        found = [self.contrast(*images, shuffle) for images, shuffle in zip(((x_q, x_k), (x_k, x_q)), shuffles)]
        k = torch.cat([keys for _, keys in reversed(found)])
        at = torch.arange(self.position, self.position + len(k)) % self.queue.shape[1]
        self.queue[:, at] = k.t()
        self.position = int(at[-1] + 1) % self.queue.shape[1]
        return [logits for logits, _ in found]


def in_top(logits, labels, k):
    """How many rows have their label among the k largest logits."""
    return int((logits.topk(k).indices == labels[:, None]).sum())


def step(moco, optimizer, x_q, x_k, shuffles):
    """The loss (symmetric with two shuffles); how many queries have their own key first, and among the first five."""
    directions = moco.logits(x_q, x_k, shuffles)
    labels = torch.zeros(len(x_q), dtype=torch.long)
    loss = sum(F.cross_entropy(logits, labels) for logits in directions)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), *(sum(in_top(logits, labels, k) for logits in directions) for k in (1, 5))


def cosine_rate(lr, epoch, epochs):
    return lr * (0.5 * (1 + math.cos(math.pi * epoch / epochs)))


def warm_cosine_rate(lr, epoch, epochs, warmup):
    """Of MoCo v3; `epoch` with the part of it that is done."""
    if epoch < warmup:
        return lr * epoch / warmup
    return lr * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup)))


def step_rate(lr, epoch, at):
    for start in at:
        lr *= 0.1 if epoch >= start else 1.0
    return lr


class Lars(torch.optim.Optimizer):
    """Of MoCo v3: no decay, and no ratio of norms, for parameters of one dimension."""

    def __init__(self, params, lr, momentum, weight_decay, trust_coefficient):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay,
                                  "trust_coefficient": trust_coefficient})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                update = p.grad
                if p.ndim > 1:
                    update = update + group["weight_decay"] * p
                    ratio = group["trust_coefficient"] * p.norm() / update.norm()
                    update = update * ratio
                mu = self.state[p].setdefault("mu", torch.zeros_like(p))
                mu.mul_(group["momentum"]).add_(update)
                p.sub_(group["lr"] * mu)


def knn_predict(bank, labels, queries, k, temperature, classes):
    """Weighted vote of the k most similar, as in the CIFAR demo."""
    similarity, index = (F.normalize(queries) @ F.normalize(bank).t()).topk(k)
    votes = F.one_hot(labels[index], classes) * (similarity / temperature).exp()[..., None]
    return votes.sum(1).argsort(descending=True)[:, 0]
