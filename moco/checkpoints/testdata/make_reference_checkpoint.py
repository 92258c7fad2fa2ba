"""Writes reference_checkpoint.pth.tar: a dict in the form of facebookresearch/moco's main_moco.py, tiny.

    python make_reference_checkpoint.py reference_checkpoint.pth.tar      # torch 2.11.0

Every tensor counts up from its own start, so that checkpoint_test.cc knows what to find.
"""

import sys

import torch


class Encoder(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 2, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(2)
        self.fc = torch.nn.Linear(2, 2)
        with torch.no_grad():
            for i, p in enumerate(self.parameters()):
                p.copy_(torch.arange(p.numel()).view_as(p) + start + 10 * i)


class MoCo(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder_q = Encoder(0)
        self.encoder_k = Encoder(100)
        for p in self.encoder_k.parameters():
            p.requires_grad = False
        self.register_buffer("queue", torch.arange(6.0).view(2, 3))
        self.register_buffer("queue_ptr", torch.tensor([2]))


model = torch.nn.ModuleDict({"module": MoCo()})  # the prefix that DistributedDataParallel gives
optimizer = torch.optim.SGD(model.parameters(), 0.0, momentum=0.9, weight_decay=1e-4)
for p in model["module"].encoder_q.parameters():
    p.grad = torch.zeros_like(p)
optimizer.step()  # a rate of zero changes no weight, and makes the momentum buffers
for parameter, entry in optimizer.state.items():
    entry["momentum_buffer"].copy_(parameter.detach() + 0.5)
optimizer.param_groups[0]["lr"] = 0.03
torch.save({"epoch": 7, "arch": "resnet50", "state_dict": model.state_dict(),
            "optimizer": optimizer.state_dict()}, sys.argv[1])
