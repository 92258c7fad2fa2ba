"""bridge.py with two ranks on each side: //dist:pretrain_ddp, and PyTorch's DistributedDataParallel with Gloo.

    ddp_bridge.py PRETRAIN_DDP DEMO     the program, and the folder of data/demo

Both sides start from one seed's weights. Every loss of the whole runs must be the same (its mean over the ranks), and
those after a checkpoint has changed sides at half time.
"""

import json
import pathlib
import sys

import torch
from torch import distributed, nn
from torch.nn import functional as F

import bridge
import reference

RANKS, BOUND = 2, 1e-9
SMALL = {"arch": "resnet_small", "size": 16, "precision": "fp64", "epochs": 10}


def gathered(order, size):
    """A shuffle of the whole batch, as DistributedDataParallel's ranks need it.

    Row i of our whole batch is the row i // size of rank i % size, there and here; but here what ranks have together
    is one rank's rows after the other's, of the batch and of the shuffle.
    """
    dealt = torch.arange(len(order)).view(-1, size).t().reshape(-1)  # the whole batch's rows, by rank
    return dealt.argsort()[order[dealt]]


def concat_all_gather(rows):
    parts = [torch.empty_like(rows) for _ in range(RANKS)]
    distributed.all_gather(parts, rows)
    return torch.cat(parts)


class MoCo(nn.Module):
    """reference.MoCo over ranks: shuffling BN and the keys' way into the queue as builder.py has them."""

    def __init__(self, run):
        super().__init__()
        made = reference.MoCo(run["arch"], "mlp", 1, run["dim"], run["queue"], run["momentum"], run["temperature"])
        made.double()
        self.encoder_q, self.encoder_k = made.f_q, made.f_k
        self.momentum, self.temperature = made.momentum, made.temperature
        self.register_buffer("queue", made.queue)
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def forward(self, x_q, x_k, shuffle):
        rank, size = distributed.get_rank(), distributed.get_world_size()
        q = F.normalize(self.encoder_q(x_q))
        with torch.no_grad():
            for p_q, p_k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
                p_k.copy_(self.momentum * p_k + (1 - self.momentum) * p_q)
            shuffled = concat_all_gather(x_k)[shuffle.view(size, -1)[rank]]
            keys = concat_all_gather(F.normalize(self.encoder_k(shuffled)))[shuffle.argsort()]
            k = keys.view(size, *q.shape)[rank]
        similarities = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.clone()], dim=1)
        with torch.no_grad():
            start = int(self.queue_ptr)
            self.queue[:, start:start + len(keys)] = keys.t()  # K is a multiple of the batch
            self.queue_ptr[0] = (start + len(keys)) % self.queue.shape[1]
        return similarities / self.temperature


def rank_of_run(rank, run, data, folder, resume):
    """One rank of a run. The first writes the losses, means over the ranks, and checkpoints."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=RANKS)
    torch.manual_seed(bridge.SEED)
    model = nn.parallel.DistributedDataParallel(MoCo(run))
    torch.set_default_dtype(torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), run["lr"], momentum=0.9, weight_decay=1e-4)
    first = 0
    if resume:
        checkpoint = torch.load(resume, weights_only=True)
        model.load_state_dict(checkpoint["state_dict"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        first = checkpoint["epoch"]
    losses, images = [], bridge.Images(data, run["size"])
    for epoch in range(first, run["epochs"]):
        optimizer.param_groups[0]["lr"] = bridge.rate(run, epoch)
        for i, views in enumerate(images.batches(epoch)):
            x_q, x_k = (x[rank::RANKS] for x in views)
            order = reference.permutation(bridge.SEED, epoch * bridge.STEPS + i, bridge.BATCH)
            logits = model(x_q, x_k, gathered(order, RANKS))
            loss = F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(concat_all_gather(loss.detach().view(1)).mean().item())
        if rank == 0:
            torch.save({"epoch": epoch + 1, "arch": run["arch"], "state_dict": model.state_dict(),
                        "optimizer": optimizer.state_dict()}, folder / f"checkpoint_{epoch:04}.pth.tar")
    if rank == 0:
        (folder / "losses.json").write_text(json.dumps(losses))
    distributed.destroy_process_group()


def ddp_run(run, data, folder, resume):
    folder.mkdir()
    torch.multiprocessing.spawn(rank_of_run, (run, data, folder, resume), nprocs=RANKS)
    return json.loads((folder / "losses.json").read_text())


def cross(program, demo, theirs, run, way="exchange"):
    words = [program, f"--nproc={RANKS}", "--dist-backend=gloo", f"--shuffle-keys={way}"]
    wholes = bridge.cross(words, demo, theirs, run | {"name": f"{run['name']}, {RANKS} ranks, {way}"})
    largest = max(abs(a - b) / abs(b) for a, b in zip(*wholes, strict=True))
    print(f"whole runs of {len(wholes[0])} steps: last loss {wholes[0][-1]:.6f}, largest difference {largest:.1e}")
    if not largest <= BOUND:
        sys.exit("the whole runs differ")


if __name__ == "__main__":
    cross(*map(pathlib.Path, sys.argv[1:]), ddp_run, bridge.V2 | SMALL)
