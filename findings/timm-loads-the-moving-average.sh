#!/bin/bash
# timm 1.0.31: load_checkpoint and create_model(checkpoint_path=...) take state_dict_ema from a checkpoint that has it, and leave
# state_dict, without a word on the console. Early in training the moving average is still close to the random weights,
# so a probe of "the checkpoint" measures another network than the one that was trained. use_ema=False, which create_model
# does not take, gives state_dict.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  timm==1.0.31 torchvision==0.26.0 torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import contextlib
import io

import timm
import torch
from timm.models import load_checkpoint

trained = timm.create_model("resnet18", num_classes=2)
average = {name: torch.zeros_like(value) for name, value in trained.state_dict().items()}
torch.save({"state_dict": trained.state_dict(), "state_dict_ema": average}, "checkpoint.pth")
printed = io.StringIO()
with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
    models = {"create_model": timm.create_model("resnet18", num_classes=2, checkpoint_path="checkpoint.pth")}
    for name, arguments in ("load_checkpoint", {}), ("use_ema=False", {"use_ema": False}):
        models[name] = timm.create_model("resnet18", num_classes=2)
        load_checkpoint(models[name], "checkpoint.pth", **arguments)


def weights(model):
    if torch.equal(model.fc.weight, trained.fc.weight):
        return "state_dict"
    return "none" if model.fc.weight.any() else "moving average"


found = {name: weights(model) for name, model in models.items()}
print("timm", timm.__version__, "weights loaded:", found, "printed:", repr(printed.getvalue()))
assert found == {"create_model": "moving average", "load_checkpoint": "moving average", "use_ema=False": "state_dict"}
assert printed.getvalue() == ""
PYTHON
