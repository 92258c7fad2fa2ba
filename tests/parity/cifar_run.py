"""A run on CIFAR by reference.py, by hand, to be seen beside pretrain's (docs/fidelity.md).

    cifar_run.py FOLDER --out metrics.jsonl      # FOLDER has train/<class>/*.jpg and val/<class>/*.jpg

Without flags it is the official CIFAR demo: ResNet-18 with the CIFAR stem, linear head, views without blur, a cosine rate
from epoch 0. The flags are pretrain's; the weights of a --seed are, too. kNN is on the backbone's features. The state
after each epoch is in metrics.jsonl.state; a run that was killed goes on from there, and ends as if it had not been.
"""

import argparse
import copy
import json
import os
import random
import time

import torch
import torchvision
from torch import nn
from torchvision import transforms as T

import reference

NORMALIZE = [T.ToTensor(), T.Normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010])]


class TwoViews:

    def __init__(self, smallest_crop):
        self.view = T.Compose([T.RandomResizedCrop(32, (smallest_crop, 1)), T.RandomHorizontalFlip(),
                               T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), T.RandomGrayscale(0.2),
                               *NORMALIZE])

    def __call__(self, image):
        return self.view(image), self.view(image)


def features(f, images):
    backbone = copy.deepcopy(f).eval()
    backbone.fc = nn.Identity()
    loader = torch.utils.data.DataLoader(images, 250)
    with torch.no_grad():
        pairs = [(backbone(x), y) for x, y in loader]
    return [torch.cat(column) for column in zip(*pairs)]


def knn(f, folder, k):
    bank, queries = (features(f, torchvision.datasets.ImageFolder(f"{folder}/{part}", T.Compose(NORMALIZE)))
                     for part in ("train", "val"))
    right = sum((reference.knn_predict(*bank, x, k, 0.1, 10) == y).sum().item()
                for x, y in zip(queries[0].split(500), queries[1].split(500)))
    return right / len(queries[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--out", required=True)
    parser.add_argument("--arch", default="resnet18:stem=cifar", help="a spec of reference.backbone")
    parser.add_argument("--mlp", action="store_true")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--moco-dim", type=int, default=128)
    parser.add_argument("--moco-k", type=int, default=4096)
    parser.add_argument("--bn-splits", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.06)
    parser.add_argument("--smallest-crop", type=float, default=0.08, help="share of an image")
    parser.add_argument("--knn-every", type=int, default=0, help="epochs; 0: before and after the run")
    parser.add_argument("--knn-k", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    moco = reference.MoCo(args.arch, "mlp" if args.mlp else "linear", args.bn_splits, args.moco_dim, args.moco_k,
                          momentum=0.99, temperature=0.1)
    optimizer = torch.optim.SGD(moco.f_q.parameters(), args.lr, momentum=0.9, weight_decay=5e-4)
    images = torchvision.datasets.ImageFolder(f"{args.folder}/train", TwoViews(args.smallest_crop))
    steps = len(images) // args.batch_size
    done = 0  # epochs
    path = args.out + ".state"
    if os.path.exists(path):
        done, *states, moco.queue, moco.position = torch.load(path)
        for owner, state in zip((moco.f_q, moco.f_k, optimizer), states):
            owner.load_state_dict(state)

    def tell(**values):
        with open(args.out, "a") as out:
            print(json.dumps(values), file=out)

    if os.path.exists(args.out):  # without the lines of an epoch whose state was not kept
        with open(args.out) as lines:
            kept = [line for line in lines if done > 0 and json.loads(line).get("step", 0) <= done * steps
                    and json.loads(line).get("epoch", 0) < done]
        with open(args.out, "w") as out:
            out.writelines(kept)
    if done == 0:
        tell(step=0, knn=knn(moco.f_q, args.folder, args.knn_k))
    for epoch in range(done, args.epochs):
        # Each epoch's draws depend on the seed and the epoch alone. PyTorch takes the lower 32 bits of a seed.
        torch.manual_seed(args.seed << 16 | epoch)
        random.seed(args.seed << 16 | epoch)
        optimizer.param_groups[0]["lr"] = reference.cosine_rate(args.lr, epoch, args.epochs)
        loader = torch.utils.data.DataLoader(images, args.batch_size, shuffle=True, drop_last=True,
                                             num_workers=args.workers)
        rows, start = [], time.monotonic()
        for (x_q, x_k), _ in loader:
            loss, top1, _ = reference.step(moco, optimizer, x_q, x_k, [torch.randperm(len(x_q))])
            rows.append({"step": epoch * steps + len(rows) + 1, "loss": loss, "top1": top1 / len(x_q)})
        seconds = time.monotonic() - start
        states = [owner.state_dict() for owner in (moco.f_q, moco.f_k, optimizer)]
        torch.save((epoch + 1, *states, moco.queue, moco.position), path + ".new")
        for row in rows:
            tell(**row)
        last = epoch + 1 == args.epochs
        if last or (args.knn_every > 0 and (epoch + 1) % args.knn_every == 0):
            tell(step=(epoch + 1) * steps, knn=knn(moco.f_q, args.folder, args.knn_k))
        tell(epoch=epoch, epoch_loss=sum(row["loss"] for row in rows) / steps, seconds=seconds)
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
