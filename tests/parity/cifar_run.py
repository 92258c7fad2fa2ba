"""The CIFAR demo's run by reference.py, by hand, to be seen beside pretrain's (docs/fidelity.md).

    cifar_run.py FOLDER --out metrics.jsonl      # FOLDER has train/<class>/*.jpg and val/<class>/*.jpg

It takes an hour or two of one core, and goes on where it was killed: its state is in metrics.jsonl.state.

ResNet-18 with the CIFAR stem, views without blur, cosine rate from epoch 0; the weights by --seed are pretrain's. kNN is on the
backbone's features.
"""

import argparse
import copy
import json
import os
import random

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision import transforms as T

import reference

NORMALIZE = [T.ToTensor(), T.Normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010])]
VIEW = T.Compose([T.RandomResizedCrop(32), T.RandomHorizontalFlip(),
                  T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), T.RandomGrayscale(0.2), *NORMALIZE])


def features(f, images):
    backbone = copy.deepcopy(f).eval()
    backbone.fc = nn.Identity()
    loader = torch.utils.data.DataLoader(images, 250)
    with torch.no_grad():
        pairs = [(backbone(x), y) for x, y in loader]
    return [torch.cat(column) for column in zip(*pairs)]


def knn(f, folder):
    bank, queries = (features(f, torchvision.datasets.ImageFolder(f"{folder}/{part}", T.Compose(NORMALIZE)))
                     for part in ("train", "val"))
    right = sum((reference.knn_predict(*bank, x, 200, 0.1, 10) == y).sum().item()
                for x, y in zip(queries[0].split(500), queries[1].split(500)))
    return right / len(queries[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--moco-k", type=int, default=4096)
    parser.add_argument("--bn-splits", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.06)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    moco = reference.MoCo("resnet18:stem=cifar", "linear", args.bn_splits, queue=args.moco_k, momentum=0.99,
                          temperature=0.1)
    optimizer = torch.optim.SGD(moco.f_q.parameters(), args.lr, momentum=0.9, weight_decay=5e-4)
    images = torchvision.datasets.ImageFolder(f"{args.folder}/train", lambda image: (VIEW(image), VIEW(image)))
    steps = len(images) // args.batch_size
    done, order = 0, None
    path = args.out + ".state"
    if os.path.exists(path):
        done, order, *states, draws = torch.load(path, weights_only=False)
        for owner, state in zip((moco.f_q, moco.f_k, optimizer), states):
            owner.load_state_dict(state)
        moco.queue, moco.position, torch_draws, python_draws = draws
        torch.set_rng_state(torch_draws)
        random.setstate(python_draws)

    def tell(**values):
        with open(args.out, "a") as out:
            print(json.dumps(values), file=out)

    if done == 0:
        tell(step=0, knn=knn(moco.f_q, args.folder))
    while done < args.epochs * steps:
        epoch, i = divmod(done, steps)
        if i == 0:
            order = torch.randperm(len(images))
        optimizer.param_groups[0]["lr"] = reference.cosine_rate(args.lr, epoch, args.epochs)
        pairs = [images[j][0] for j in order[i * args.batch_size:(i + 1) * args.batch_size]]
        x_q, x_k = (torch.stack(views) for views in zip(*pairs))
        loss, top1, _ = reference.step(moco, optimizer, x_q, x_k, [torch.randperm(len(x_q))])
        done += 1
        states = [owner.state_dict() for owner in (moco.f_q, moco.f_k, optimizer)]
        draws = moco.queue, moco.position, torch.get_rng_state(), random.getstate()
        torch.save((done, order, *states, draws), path + ".new")
        os.replace(path + ".new", path)
        tell(step=done, loss=loss, top1=top1 / len(x_q))
    tell(step=done, knn=knn(moco.f_q, args.folder))


if __name__ == "__main__":
    main()
