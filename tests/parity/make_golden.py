"""Writes the golden files of this folder: what PyTorch and torchvision compute, for the C++ tests to compare with.

    python make_golden.py golden          # torch 2.11.0, torchvision 0.26.0, on a CPU

Float64, so that the values hold on any CPU; initial weights as checksums of their bits. A tensor is kept as its norm
and its product with a fixed vector.
"""

import itertools
import json
import pathlib
import re
import sys
import zlib

import numpy as np
import torch
import torchvision
from torch.nn import functional as F

import reference

PROJECTION = 1 << 20  # the stream of the vector that tensors are multiplied with


def summary(*tensors):
    """Norm, and product with a fixed vector, of the tensors one after the other."""
    flat = torch.cat([t.detach().double().reshape(-1) for t in tensors])
    return [flat.norm().item(), (flat @ reference.noise(PROJECTION, flat.numel())).item()]


def checksum(*tensors):
    crc = 0
    for tensor in tensors:
        crc = zlib.crc32(tensor.detach().contiguous().numpy().tobytes(), crc)
    return crc


def groups(state, prefix=""):
    """The entries of a state dict by their first name: conv1, bn1, layer1, ..., fc."""
    by_name = {}
    for name, tensor in state.items():
        by_name.setdefault(prefix + name.split(".")[0], []).append(tensor)
    return by_name


def weights():
    """Initial values by seed."""
    runs = []
    for backbone in ("resnet18", "resnet34", "resnet50", "resnet18:stem=cifar", "resnet_small"):
        for head, seed in itertools.product(("linear", "mlp"), (0, 7)):
            torch.manual_seed(seed)
            moco = reference.MoCo(backbone, head)
            tensors = {**groups(moco.f_q.state_dict(), "encoder_q."), **groups(moco.f_k.state_dict(), "encoder_k."),
                       "queue": [moco.queue]}
            runs.append({"backbone": backbone, "head": head, "seed": seed,
                         "crc32": {name: checksum(*t) for name, t in tensors.items()}})
    return runs


def encoders():
    """A pass forward and backward in training mode, then one in evaluation mode on what it left in the buffers."""
    runs = []
    for backbone, head, splits, shape in (("resnet18", "linear", 1, (4, 3, 64, 48)),
                                          ("resnet34", "linear", 1, (4, 3, 64, 48)),
                                          ("resnet50", "mlp", 1, (4, 3, 64, 48)),
                                          ("resnet18:stem=cifar", "mlp", 1, (4, 3, 32, 32)),
                                          ("resnet18:stem=cifar", "linear", 2, (4, 3, 32, 32)),
                                          ("resnet_small", "linear", 1, (8, 3, 32, 32)),
                                          ("resnet_small", "mlp", 4, (8, 3, 32, 32))):
        torch.manual_seed(1)
        [f] = reference.encoders(backbone, head, splits, count=1)
        f.double()
        run = {"backbone": backbone, "head": head, "splits": splits, "shape": shape}
        for mode in ("train", "eval"):
            f.train(mode == "train")
            vectors = f(reference.noise(2, *shape))
            f.zero_grad()
            (vectors * reference.noise(3, *vectors.shape)).sum().backward()
            run[mode] = {"vectors": summary(vectors),
                         "gradients": {name: summary(p.grad) for name, p in f.named_parameters()}}
        run["buffers"] = {name: summary(b) for name, b in f.named_buffers()}
        runs.append(run)
    return runs


def resnets():
    """torchvision's networks with both stems: initial values; of each that encoders() lacks a pass in training mode."""
    runs = []
    for backbone in reference.BACKBONES:
        torch.manual_seed(3)
        [f] = reference.encoders(backbone, "linear", count=1)
        run = {"backbone": backbone, "crc32": {name: checksum(*t) for name, t in groups(f.state_dict()).items()}}
        if backbone in ("resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d",
                        "wide_resnet50_2", "wide_resnet101_2", "resnext50_32x4d:stem=cifar"):
            run["shape"] = (8, 3, 32, 32)
            vectors = f.double()(reference.noise(2, *run["shape"]))
            (vectors * reference.noise(3, *vectors.shape)).sum().backward()
            gradients = groups({name: p.grad for name, p in f.named_parameters()})
            run |= {"vectors": summary(vectors), "gradients": {name: summary(*t) for name, t in gradients.items()}}
        runs.append(run)
    return runs


def steps():
    """Whole steps of training."""
    runs = []
    for run in (
            {"name": "resnet18_v1", "backbone": "resnet18", "head": "linear", "splits": 1, "batch": 16, "size": 32,
             "queue": 480, "temperature": 0.07, "momentum": 0.99, "lr": 0.03, "weight_decay": 1e-4,
             "schedule": "step:at=6 8", "epochs": 10, "steps_per_epoch": 10},
            {"name": "resnet18_v2", "backbone": "resnet18", "head": "mlp", "splits": 1, "batch": 16, "size": 32,
             "queue": 500, "temperature": 0.2, "momentum": 0.99, "lr": 0.03, "weight_decay": 1e-4, "schedule": "cosine",
             "epochs": 10, "steps_per_epoch": 10},
            {"name": "v2_splits", "backbone": "resnet18", "head": "mlp", "splits": 2, "batch": 8, "size": 64,
             "queue": 50, "temperature": 0.2, "momentum": 0.999, "lr": 0.03, "weight_decay": 1e-4,
             "schedule": "cosine", "epochs": 5, "steps_per_epoch": 2},
            {"name": "v2_small", "backbone": "resnet_small", "head": "mlp", "splits": 4, "batch": 16, "size": 16,
             "queue": 500, "temperature": 0.1, "momentum": 0.99, "lr": 0.06, "weight_decay": 5e-4,
             "schedule": "cosine", "epochs": 10, "steps_per_epoch": 10},
            {"name": "symmetric", "backbone": "resnet_small", "head": "linear", "splits": 4, "batch": 16, "size": 16,
             "queue": 500, "temperature": 0.1, "momentum": 0.99, "lr": 0.06, "weight_decay": 5e-4,
             "schedule": "cosine", "epochs": 10, "steps_per_epoch": 2, "directions": 2}):
        seed = 5
        torch.manual_seed(seed)
        moco = reference.MoCo(run["backbone"], run["head"], run["splits"], queue=run["queue"],
                              momentum=run["momentum"], temperature=run["temperature"]).double()
        optimizer = torch.optim.SGD(moco.f_q.parameters(), run["lr"], momentum=0.9, weight_decay=run["weight_decay"])
        losses, top1, top5 = [], [], []
        for number in range(run["epochs"] * run["steps_per_epoch"]):
            epoch = number // run["steps_per_epoch"]
            if run["schedule"] == "cosine":
                rate = reference.cosine_rate(run["lr"], epoch, run["epochs"])
            else:
                rate = reference.step_rate(run["lr"], epoch, map(int, run["schedule"].split("=")[1].split()))
            optimizer.param_groups[0]["lr"] = rate
            x_q, x_k = reference.views(number, run["batch"], 3, run["size"], run["size"])
            shuffles = [reference.permutation(seed, number, run["batch"], direction)
                        for direction in range(run.get("directions", 1))]
            found = reference.step(moco, optimizer, x_q, x_k, shuffles)
            for kept, value in zip((losses, top1, top5), found):
                kept.append(value)
        velocities = {name: optimizer.state[p]["momentum_buffer"] for name, p in moco.f_q.named_parameters()}
        after = {**groups(moco.f_q.state_dict(), "encoder_q."), **groups(moco.f_k.state_dict(), "encoder_k."),
                 **groups(velocities, "momentum_buffer."), "queue": [moco.queue]}
        runs.append({**run, "seed": seed, "losses": losses, "top1": top1, "top5": top5, "position": moco.position,
                     "after": {name: summary(*t) for name, t in after.items()}})
    return runs


def parts():
    """Schedules and optimizers by themselves."""
    by_epoch = {"epochs": 200, "steps_per_epoch": 1}
    rates = [{"schedule": "cosine", "lr": lr, **by_epoch, "rates": [reference.cosine_rate(lr, e, 200) for e in range(200)]}
             for lr in (0.03, 0.06)]
    rates += [{"schedule": "step:at=" + " ".join(map(str, at)), "lr": lr, **by_epoch,
               "rates": [reference.step_rate(lr, e, at) for e in range(200)]}
              for lr, at in ((0.03, (120, 160)), (30.0, (60, 80)))]
    rates += [{"schedule": schedule, "lr": 0.3, "epochs": 60, "steps_per_epoch": 3, "rates": [
        reference.warm_cosine_rate(0.3, step / 3, 60, warmup) for step in range(180)]}
              for warmup, schedule in ((10, "cosine:warmup=10,per_step=true"), (0, "cosine:per_step=true"))]
    shapes = ((6, 3, 3, 3), (6,), (10, 6))
    optimizers = []
    for spec, make, lr, constants in (
            ("sgd:momentum=0.9,weight_decay=0.05", torch.optim.SGD, 0.1, {"momentum": 0.9, "weight_decay": 0.05}),
            ("adamw", torch.optim.AdamW, 0.001, {}),
            ("adamw:beta1=0.8,beta2=0.95,eps=0.01,weight_decay=0.1", torch.optim.AdamW, 0.1,
             {"betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1}),
            ("lars:momentum=0.9,weight_decay=0.05,trust=0.01", reference.Lars, 3.0,
             {"momentum": 0.9, "weight_decay": 0.05, "trust_coefficient": 0.01})):
        parameters = [torch.nn.Parameter(reference.noise(10 + i, *shape)) for i, shape in enumerate(shapes)]
        optimizer = make(parameters, lr, **constants)
        updates = []
        for number in range(5):
            optimizer.param_groups[0]["lr"] = lr / (number + 1)
            for i, p in enumerate(parameters):
                p.grad = reference.noise(20 + 3 * number + i, *p.shape)
            optimizer.step()
            slots = {name: [summary(optimizer.state[p][name]) for p in parameters]
                     for name in optimizer.state[parameters[0]]}
            updates.append({"parameters": [summary(p) for p in parameters], "slots": slots})
        optimizers.append({"spec": spec, "shapes": shapes, "lr": lr, "updates": updates})
    return {"rates": rates, "optimizers": optimizers}


def labelled(stream, n, dim, classes):
    """Features around a centre for each class, and labels."""
    labels = (reference.noise(stream, n) * 2**20).long() % classes
    return 0.3 * reference.noise(99, classes, dim)[labels] + reference.noise(stream + 1, n, dim), labels


def lincls():
    """The linear classifier and the nearest neighbours, on given features."""
    dim, classes, batch, validation = 32, 10, 64, 1500
    fc = torch.nn.Linear(dim, classes).double()
    with torch.no_grad():
        fc.weight.copy_(0.01 * reference.noise(50, classes, dim))
        fc.bias.zero_()
    optimizer = torch.optim.SGD(fc.parameters(), 30.0, momentum=0.9, weight_decay=0.0)
    losses, top1, top5 = [], [], []
    for number in range(20):
        x, y = labelled(100 + 2 * number, batch, dim, classes)
        logits = fc(x)
        loss = F.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        top1.append(reference.in_top(logits, y, 1))
        top5.append(reference.in_top(logits, y, 5))
    x, y = labelled(60, validation, dim, classes)
    logits = fc(x)
    bank, bank_labels = labelled(70, 3000, dim, classes)
    queries, _ = labelled(80, 1200, dim, classes)
    knn = [{"k": k, "temperature": t,
            "predictions": "".join(map(str, reference.knn_predict(bank, bank_labels, queries, k, t, classes).tolist()))}
           for k, t in ((200, 0.1), (20, 0.07), (3000, 0.5))]
    return {"probe": {"features": dim, "classes": classes, "batch": batch, "lr": 30.0, "losses": losses, "top1": top1,
                      "top5": top5, "weight": summary(fc.weight), "bias": summary(fc.bias),
                      "validation": {"images": validation, "loss": F.cross_entropy(logits, y).item(),
                                     "top1": reference.in_top(logits, y, 1), "top5": reference.in_top(logits, y, 5)}},
            "knn": {"features": dim, "classes": classes, "bank": len(bank), "queries": len(queries), "votes": knn}}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    header = {"command": "python tests/parity/make_golden.py tests/parity/golden",
              "versions": {m.__name__: m.__version__ for m in (torch, torchvision, np)}}
    for make in (weights, encoders, resnets, steps, parts, lincls):
        text = json.dumps({"made_by": header, make.__name__: make()}, indent=1)
        text = re.sub(r"\[[^][{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)  # a list is a line
        (folder / f"{make.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
