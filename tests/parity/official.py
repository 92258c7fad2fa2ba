"""What official.sh runs: prints the largest differences of losses between the official code and reference.py."""

import functools
import json
import pathlib
import sys

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import reference

BATCH, QUEUE, TEMPERATURE, MOMENTUM, STEPS = 8, 48, 0.2, 0.99, 10


def demo_code(notebook):
    """The definitions of the demo's notebook, on a CPU."""
    names = {"torch": torch, "nn": nn, "F": F, "partial": functools.partial, "resnet": torchvision.models.resnet}
    for cell in json.loads(notebook.read_text())["cells"]:
        source = "".join(cell["source"]).replace(".cuda()", "")
        for start in ("class SplitBatchNorm", "class ModelMoCo", "def knn_predict"):
            if cell["cell_type"] == "code" and start in source:
                source = source.split("# create model")[0]  # what follows the definitions
                exec(source, names)
    return names


def official_step(loss_of, optimizer, x_q, x_k, shuffles):
    to_draw = iter(shuffles)
    drawn, torch.randperm = torch.randperm, lambda n: next(to_draw)
    loss = loss_of(x_q, x_k)
    torch.randperm = drawn
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def compare(what, ours, parameters, loss_of, size, directions=1):
    largest = 0
    sgd = functools.partial(torch.optim.SGD, lr=0.03, momentum=0.9, weight_decay=1e-4)
    optimizer, official_optimizer = sgd(ours.f_q.parameters()), sgd(parameters)
    for number in range(STEPS):
        x_q, x_k = reference.views(number, BATCH, 3, size, size)
        shuffles = [reference.permutation(0, number, BATCH, direction) for direction in range(directions)]
        theirs = official_step(loss_of, official_optimizer, x_q, x_k, shuffles)
        mine, _, _ = reference.step(ours, optimizer, x_q, x_k, shuffles)
        largest = max(largest, abs(mine - theirs) / abs(theirs))
    print(f"{what}: {STEPS} steps, last loss {theirs:.6f}, largest relative difference {largest:.1e}")
    if not largest < 1e-9:
        sys.exit(f"{what} differs")


def main():
    work = pathlib.Path(sys.argv[1])
    sys.path.append(str(work))
    import official_builder

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{work}/store", rank=0, world_size=1)
    settings = {"dim": 128, "momentum": MOMENTUM, "temperature": TEMPERATURE}
    for head in ("linear", "mlp"):
        torch.manual_seed(0)
        official = official_builder.MoCo(torchvision.models.resnet18, 128, QUEUE, MOMENTUM, TEMPERATURE, head == "mlp")
        torch.manual_seed(0)
        ours = reference.MoCo("resnet18", head, queue=QUEUE, **settings)
        for theirs, mine in ((official.encoder_q, ours.f_q), (official.encoder_k, ours.f_k)):
            for (name, a), b in zip(theirs.state_dict().items(), mine.state_dict().values(), strict=True):
                if not torch.equal(a, b):
                    sys.exit(f"{head}: the initial values of {name} differ")
        if not torch.equal(official.queue, ours.queue):
            sys.exit(f"{head}: the initial queues differ")
        official.double()
        compare(f"builder.py, {head} head", ours.double(), official.parameters(),
                lambda x_q, x_k: F.cross_entropy(*official(x_q, x_k)), size=64)

    # The demo draws the weights of its stem otherwise; both start from ours.
    names = demo_code(work / "demo.ipynb")
    for symmetric in (False, True):
        official = names["ModelMoCo"](128, QUEUE, MOMENTUM, TEMPERATURE, "resnet18", bn_splits=2, symmetric=symmetric)
        ours = reference.MoCo("resnet18:stem=cifar", "linear", splits=2, queue=QUEUE, **settings)
        with torch.no_grad():
            for theirs, mine in ((official.encoder_q, ours.f_q), (official.encoder_k, ours.f_k)):
                for p, q in zip(theirs.parameters(), mine.parameters(), strict=True):
                    p.copy_(q)
            official.queue.copy_(ours.queue)
        official.double()
        compare(f"the demo, 2 splits{', symmetric' if symmetric else ''}", ours.double(), official.parameters(),
                official, size=32, directions=1 + symmetric)
        if not torch.allclose(official.queue, ours.queue, rtol=0, atol=1e-9):
            sys.exit("the demo's keys are elsewhere in the queue")

    bank, queries = F.normalize(reference.noise(1, 500, 16)), F.normalize(reference.noise(2, 300, 16))
    labels = (reference.noise(3, 500) * 2**20).long() % 10
    theirs = names["knn_predict"](queries, bank.t(), labels, 10, 50, 0.1)[:, 0]
    mine = reference.knn_predict(bank, labels, queries, 50, 0.1, 10)
    print(f"knn_predict: {(theirs != mine).sum()} of {len(mine)} predictions differ")
    if not torch.equal(theirs, mine):
        sys.exit("knn_predict differs")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
