"""Stands for facebookresearch/moco in a rehearsal of the kit: the same classes, around tests/parity/reference.py.

    stand_in.py FOLDER      # gets builder.py and moco_cifar10_demo.ipynb
"""

import json
import pathlib
import sys

BUILDER = '''import torch
import reference


class Wide(torch.nn.Module):
    """An encoder whose vectors are no bfloat16."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, x):
        y = self.encoder(x)
        return y.float() if y.dtype == torch.bfloat16 else y


class MoCo(torch.nn.Module):

    def __init__(self, base_encoder, dim=128, K=65536, m=0.999, T=0.07, mlp=False):
        super().__init__()
        made = [base_encoder(num_classes=dim) for _ in range(2)]
        for encoder in made * mlp:
            width = encoder.fc.in_features
            encoder.fc = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), encoder.fc)
        self.encoder_q, self.encoder_k = made
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        self.encoder_k.requires_grad_(False)
        self.register_buffer("queue", torch.nn.functional.normalize(torch.randn(dim, K), dim=0))
        self.method = object.__new__(reference.MoCo)
        self.method.position, self.method.momentum, self.method.temperature = 0, m, T

    def forward(self, x_q, x_k):
        self.method.f_q, self.method.f_k, self.method.queue = Wide(self.encoder_q), Wide(self.encoder_k), self.queue
        (logits,) = self.method.logits(x_q, x_k, [torch.randperm(len(x_q)).cuda()])
        return logits, torch.zeros(len(x_q), dtype=torch.long).cuda()
'''

DEMO = '''class SplitBatchNorm:
    pass


class ModelMoCo(nn.Module):

    def __init__(self, dim=128, K=4096, m=0.99, T=0.1, arch="resnet18", bn_splits=8, symmetric=True):
        super().__init__()
        import reference
        norm = functools.partial(reference.SplitBatchNorm, bn_splits)
        encoder = functools.partial(reference.BACKBONES[arch + ":stem=cifar"], norm_layer=norm)
        import official_builder
        self.moco = official_builder.MoCo(encoder, dim, K, m, T)
        self.encoder_q, self.encoder_k, self.queue = self.moco.encoder_q, self.moco.encoder_k, self.moco.queue

    def forward(self, x_q, x_k):
        return F.cross_entropy(*self.moco(x_q, x_k))

# create model
raise SystemExit("what follows the definitions was taken along")
'''


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True)
    (folder / "builder.py").write_text(BUILDER)
    log = "".join(f"Test Epoch: [{epoch}/200] Acc@1:{30 + epoch}.5%: 100%\r" for epoch in (1, 2, 3))
    cells = [{"cell_type": "markdown", "source": ["class ModelMoCo"]},
             {"cell_type": "code", "source": DEMO.splitlines(keepends=True), "outputs": []},
             {"cell_type": "code", "source": ["train()"], "outputs": [{"text": [log]}]}]
    (folder / "moco_cifar10_demo.ipynb").write_text(json.dumps({"cells": cells}))


if __name__ == "__main__":
    main()
